# Completion of mqbench in fish, made by mqbench --print-docs=fish.

function __mq_profiles
    set -l directory ~/.config
    set -q XDG_CONFIG_HOME; and set directory $XDG_CONFIG_HOME
    for file in $directory/mq/*.toml
        string replace -r '.*/(.*)\.toml$' '$1' -- $file
    end
end

function __mq_interfaces
    for file in /sys/class/net/*
        string replace -r '.*/' '' -- $file
    end
end

function __mqbench_behind
    set -l words (commandline -opc)
    contains -- "$words[2]" $argv
end

complete -c mqbench -f

function __mqbench_context
    set -l option
    set -l arguments
    set -l left 0
    for word in (commandline -opc)[2..]
        if test $left -gt 0
            set -a option $word
            set left (math $left - 1)
            test "$option[3..]" = user-property; and set left 2
        else
            switch $word
                case --publishers --subscribers --wiring --slow -q --qos --topics --size --payload --rate --window --arrival --ramp --scale --broker --publish-to --subscribe-from --warmup --duration --count --drain --threads --source --seed --json --hdr --csv --threshold --watch-pid --progress --prometheus --slo --first --lowest --highest --precision --steps --repeats --faults --fault-rate --fault-time --late --shard --rendezvous --run --rendezvous-timeout -L --url -h --host -p --port --unix --resolve --proxy --no-proxy -A --bind --interface --connect-timeout --retry-max --retry-delay -u --username -P --pw --password --password-file --password-env --password-cmd --auth-method --auth-data --scram-user --token-file --token-env --token-cmd --token-lifetime -i --id -I --id-prefix -k --keepalive -M --max-inflight -V --protocol-version --will-topic --will-payload --will-qos --cafile --capath --pin-sha256 --cert --key --keypass-file --keypass-env --keypass-cmd --pkcs12 --psk --psk-file --psk-env --psk-cmd --psk-identity --tls-version --ciphers --tls-ciphersuites --tls-alpn --sni --tls-keylog --ws-path --ws-header --profile --config -o --options-file --log-format --color
                    set left 1
                case -D --property
                    set left 3
                case '-?*'
                    set left 0
                case '*'
                    set -a arguments $word
                    continue
            end
            set option $word
        end
    end
    test $left -gt 0; and set arguments $option
    echo $arguments
end

function __mqbench_is_for
    set -l words (string split ' ' -- (__mqbench_context))
    test -z "$words[1]"; or string match -q -- '-*' $words[1]; or contains -- $words[1] $argv
end

complete -c mqbench -n 'not __mqbench_behind merge compare report' -l help -d 'show this help and exit'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l version -d 'show the version and exit'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l publishers -x -d 'clients that publish'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l subscribers -x -d 'clients that subscribe'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search list' -l wiring -x -a 'pairs all shared' -d 'who gets whose messages: each subscriber those of its number, every subscriber all, or all of them together each message once by $share'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search list' -l slow -x -d 'subscribers that stop reading for the second half of the run'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s q -l qos -x -d 'QoS of messages, and of subscriptions if it is another'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search list' -l topics -x -d 'topic names'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l size -x -d 'bytes of a payload: 100, 64..1024'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search list' -l payload -x -d 'what follows the stamp of 32 bytes: a file, or text with {seq}, {time}, {uuid} and {random:A..B} as mqpub\'s --payload-template has them'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search list' -l topic-alias -d 'MQTT 5: send a topic once and then its alias, as far as the broker\'s Topic Alias Maximum goes'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l rate -x -d 'messages per second of all publishers, by a schedule that waits for nobody'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search list' -l window -x -d 'QoS 1 and 2 messages in flight of each publisher'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search list' -l arrival -x -d 'fixed'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search list' -l ramp -x -d 'new connections per second'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search list' -l scale -x -d 'multiply the scenario\'s clients and rates, before other options say theirs'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search list' -l broker -x -d 'a broker\'s address, instead of -L and -h'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search list' -l publish-to -x -d 'brokers of the publishers alone, in turn'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search list' -l subscribe-from -x -d 'brokers of the subscribers alone, in turn'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search list' -l warmup -x -d 'messages of this first time count for nothing but losses'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l duration -x -d 'how long to measure'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l count -x -d 'publish N messages in all, and measure each of them'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l drain -x -d 'at the end, wait until nothing has come for so long'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search list' -l threads -x -d 'threads that have a part of the clients each'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search list' -l spin -d 'with --rate N/s: wait for the last 100 us before a message is due in a busy loop, which costs all of a processor, and is exact to about a microsecond'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search list' -l source -x -d 'connect from this address, or these IPv4 addresses'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l seed -x -d 'for what is random: payloads and Poisson arrivals'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search verify' -l json -r -F -d 'write the whole result as JSON'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run' -l hdr -r -F -d 'write the histograms as a log that HdrHistogram\'s tools read, in nanoseconds'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run' -l csv -r -F -d 'write a line per second of the run, for a spreadsheet'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run' -l threshold -x -d 'what the run has to keep to, or the exit code is 13: a percentile, min, mean or max of the latency'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search' -l watch-pid -x -d 'a process of the broker on this machine: its processor time, memory and descriptors go into the result'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run' -l progress -x -a 'auto text json none' -d 'what is said each second on standard error: on a terminal a display, else a line'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run' -l prometheus -x -d 'let Prometheus watch the run: its metrics are at http://ADDR/metrics while it lasts'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run search' -l self -d 'against a broker of its own, in a thread of this process on 127.0.0.1: the floor, what the machine and mqbench take at least'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for search' -l slo -x -d 'what a load has to keep to, besides no loss and a valid verdict: as --threshold'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for search' -l clients -d 'search the number of publishers instead of the rate'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for search' -l first -x -d 'the load to begin with'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for search' -l lowest -x -d 'try nothing below it'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for search' -l highest -x -d 'try nothing above it'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for search' -l precision -x -d 'how far apart the good and the bad load may be at the end'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for search' -l steps -x -d 'runs at most, of --warmup and --duration'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for search' -l repeats -x -d 'how often a run that is not good is repeated before it is believed'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for verify' -l faults -x -a 'cut half-close stall resume all' -d 'break connections of ours meanwhile: cut'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for verify' -l fault-rate -x -d 'faults per second, of all connections, at random'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for verify' -l fault-time -x -d 'how long a stall or an absence lasts: half of that to all of it'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for verify' -l late -x -d 'deliveries and acknowledgements that take longer are counted as late, which breaks no promise'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run' -l shard -x -d 'this process is the I-th of N that do the run together, with every N-th client'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run' -l rendezvous -x -d 'broker at which the shards meet'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run' -l run -x -d 'tells runs apart that meet at one broker at the same time'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and __mqbench_is_for run' -l rendezvous-timeout -x -d 'how long to wait for the other shards'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s L -l url -x -d 'mqtt://, mqtts://, ws://, wss:// or unix:// address: mqtts://user:password@host:port/topic'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s h -l host -x -d 'the server\'s name or address'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s p -l port -x -d 'the server\'s port'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l unix -r -F -d 'connect to this unix socket'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s 4 -d 'use IPv4 only'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s 6 -d 'use IPv6 only'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l resolve -x -d 'use this address for that host and port'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s S -d 'HOST is a domain: connect to what its SRV records for _mqtt._tcp, with TLS _secure-mqtt._tcp, name'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l proxy -x -d 'connect through this proxy: socks5://, socks5h://'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l no-proxy -x -d 'connect to these without the proxy: names'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s A -l bind -x -d 'connect from this local address'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l interface -x -a '(__mq_interfaces)' -d 'connect through this network interface'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l connect-timeout -x -d 'give up when the server has not accepted the connection after this time'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l reconnect -d 'connect again when the connection fails or is lost, and to another server if this one says so'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l retry-max -x -d 'connect again, but give up after N attempts in a row'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l retry-delay -x -d 'connect again, after a random delay that grows from MIN to MAX'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s u -l username -x -d 'user name'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s P -l pw -l password -x -d 'the password'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l password-file -r -F -d 'the password is in this file, without the newline at its end'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l password-env -x -a '(set -xn)' -d 'the password is in this environment variable'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l password-cmd -x -d 'the password is what this command writes'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l password-prompt -d 'ask for the password on the terminal'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l auth-method -x -d 'authenticate by this method of MQTT 5: SCRAM-SHA-1, SCRAM-SHA-256, SCRAM-SHA-512, or another one that has all its data in one piece'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l auth-data -x -d 'the method\'s data: text, base64:TEXT or @FILE'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l scram-user -x -d 'authenticate by SCRAM'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l token-file -r -F -d 'a token, which is sent as the password, or with --auth-method as its data, is in this file, without the newline at its end'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l token-env -x -a '(set -xn)' -d 'a token, which is sent as the password, or with --auth-method as its data, is in this environment variable'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l token-cmd -x -d 'a token, which is sent as the password, or with --auth-method as its data, is what this command writes'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l token-prompt -d 'ask for a token, which is sent as the password, or with --auth-method as its data, on the terminal'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l token-lifetime -x -d 'how long the token is good, if it does not say so itself'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s i -l id -x -d 'client id'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s I -l id-prefix -x -d 'a random client id with this beginning'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s k -l keepalive -x -d 'longest silence before the connection is probed'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s M -l max-inflight -x -d 'messages that may wait for their acknowledgement, in each direction'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s V -l protocol-version -x -a '5 311 31' -d 'speak only this version of MQTT'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s D -l property -x -a 'connect publish subscribe' -d 'set a property of MQTT 5'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l will-topic -x -d 'leave a message with the server, to be published here if this client vanishes'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l will-payload -x -d 'its payload'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l will-qos -x -a '0 1 2' -d 'its quality of service'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l will-retain -d 'it is retained'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l cafile -r -F -d 'trust the CA certificates in this PEM file, instead of the system\'s'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l capath -x -a '(__fish_complete_directories)' -d 'trust the CA certificates in this directory'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l tls-use-os-certs -d 'trust the system\'s CA certificates, also besides --cafile and --capath'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l insecure -d 'do not verify the server\'s certificate: anybody may listen in, unless its key is pinned'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l pin-sha256 -x -d 'accept only a server whose public key has this SHA-256'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l cert -r -F -d 'the client\'s certificate, with its chain'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l key -r -F -d 'the certificate\'s key, or the URI of an OpenSSL store that has it'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l keypass-file -r -F -d 'the password of --key or --pkcs12 is in this file, without the newline at its end'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l keypass-env -x -a '(set -xn)' -d 'the password of --key or --pkcs12 is in this environment variable'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l keypass-cmd -x -d 'the password of --key or --pkcs12 is what this command writes'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l keypass-prompt -d 'ask for the password of --key or --pkcs12 on the terminal'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l pkcs12 -r -F -d 'the client\'s certificate, chain and key in one file'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l psk -x -d 'the pre-shared key in the place of certificates'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l psk-file -r -F -d 'the pre-shared key, hexadecimal, is in this file, without the newline at its end'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l psk-env -x -a '(set -xn)' -d 'the pre-shared key, hexadecimal, is in this environment variable'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l psk-cmd -x -d 'the pre-shared key, hexadecimal, is what this command writes'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l psk-prompt -d 'ask for the pre-shared key, hexadecimal, on the terminal'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l psk-identity -x -d 'whose pre-shared key it is'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l tls-version -x -d 'TLS versions to accept: 1.2, 1.3 or a range'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l ciphers -x -d 'OpenSSL cipher list for TLS 1.2'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l tls-ciphersuites -x -d 'OpenSSL cipher suites for TLS 1.3'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l tls-alpn -x -d 'application protocols to offer'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l sni -x -d 'the name to ask for and to find in the certificate, instead of the host\'s'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l tls-keylog -r -F -d 'append the session keys, for Wireshark'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l no-tls -d 'no TLS, whatever a file or a variable says'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l ws-path -x -d 'use WebSocket, at this path'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l ws-header -x -d 'use WebSocket, and send this header with its upgrade'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l profile -x -a '(__mq_profiles)' -d 'read options from $XDG_CONFIG_HOME/mq/NAME.toml'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l config -r -F -d 'read options from this TOML file: host = "broker.lan"'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -s o -l options-file -r -F -d 'read options from this file, one and its value a line: -h broker.lan'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l show-config -d 'show which options are in effect and where they come from, secrets masked, and exit'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l quickack -d 'acknowledge TCP segments at once: a broker with Nagle\'s algorithm'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l quiet -d 'no warnings on standard error, only errors'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l log-format -x -a 'text json' -d 'how lines on standard error look'
complete -c mqbench -n 'not __mqbench_behind merge compare report' -l color -x -a 'auto always never' -d 'colours on standard error and of topics on standard output'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and contains -- "$(__mqbench_context)" \'-D connect\' \'--property connect\'' -a 'session-expiry-interval authentication-method authentication-data request-problem-information request-response-information receive-maximum topic-alias-maximum user-property maximum-packet-size'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and contains -- "$(__mqbench_context)" \'-D publish\' \'--property publish\'' -a 'payload-format-indicator message-expiry-interval content-type response-topic correlation-data topic-alias user-property'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and contains -- "$(__mqbench_context)" \'-D subscribe\' \'--property subscribe\'' -a 'subscription-identifier user-property'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and contains -- "$(__mqbench_context)" \'\'' -a 'run search verify list merge compare report'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and contains -- "$(__mqbench_context)" \'run\'' -F -a 'quick pairs fan-in fan-out sink shared request-response subscribe-churn connect-storm reconnect-storm will-storm retained resume slow-reader conn-tcp-10K-100 fanout-1-1K-1-1K fanin-1K-1-1K-1K p2p-1K-1K-1K-1K sharesub-1K-5-1K-1K conn-tcp-1M-5K fanout-5-1000-5-250K p2p-50K-50K-50K-50K sharesub-50K-500-50K-50K'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and contains -- "$(__mqbench_context)" \'search\'' -F -a 'quick pairs fan-in fan-out sink shared request-response subscribe-churn connect-storm reconnect-storm will-storm retained resume slow-reader conn-tcp-10K-100 fanout-1-1K-1-1K fanin-1K-1-1K-1K p2p-1K-1K-1K-1K sharesub-1K-5-1K-1K conn-tcp-1M-5K fanout-5-1000-5-250K p2p-50K-50K-50K-50K sharesub-50K-500-50K-50K'
complete -c mqbench -n 'not __mqbench_behind merge compare report; and contains -- "$(__mqbench_context)" \'list\'' -a 'quick pairs fan-in fan-out sink shared request-response subscribe-churn connect-storm reconnect-storm will-storm retained resume slow-reader conn-tcp-10K-100 fanout-1-1K-1-1K fanin-1K-1-1K-1K p2p-1K-1K-1K-1K sharesub-1K-5-1K-1K conn-tcp-1M-5K fanout-5-1000-5-250K p2p-50K-50K-50K-50K sharesub-50K-500-50K-50K'

function __mqbench_merge_context
    set -l option
    set -l arguments
    set -l left 0
    for word in (commandline -opc)[3..]
        if test $left -gt 0
            set -a option $word
            set left (math $left - 1)
            test "$option[3..]" = user-property; and set left 2
        else
            switch $word
                case -o --output
                    set left 1
                case '-?*'
                    set left 0
                case '*'
                    set -a arguments $word
                    continue
            end
            set option $word
        end
    end
    test $left -gt 0; and set arguments $option
    echo $arguments
end

complete -c mqbench -n '__mqbench_behind merge' -l help -d 'show this help and exit'
complete -c mqbench -n '__mqbench_behind merge' -l version -d 'show the version and exit'
complete -c mqbench -n '__mqbench_behind merge' -s o -l output -r -F -d 'write the merged result there, \'-\' is standard output'
complete -c mqbench -n '__mqbench_behind merge' -l force -d 'merge results of different runs or scenarios, too'
complete -c mqbench -n '__mqbench_behind merge' -F

function __mqbench_compare_context
    set -l option
    set -l arguments
    set -l left 0
    for word in (commandline -opc)[3..]
        if test $left -gt 0
            set -a option $word
            set left (math $left - 1)
            test "$option[3..]" = user-property; and set left 2
        else
            switch $word
                case --alpha --tolerance --across --seed --json
                    set left 1
                case '-?*'
                    set left 0
                case '*'
                    set -a arguments $word
                    continue
            end
            set option $word
        end
    end
    test $left -gt 0; and set arguments $option
    echo $arguments
end

complete -c mqbench -n '__mqbench_behind compare' -l help -d 'show this help and exit'
complete -c mqbench -n '__mqbench_behind compare' -l version -d 'show the version and exit'
complete -c mqbench -n '__mqbench_behind compare' -l alpha -x -d 'how improbable a difference must be by chance, for each metric by itself'
complete -c mqbench -n '__mqbench_behind compare' -l tolerance -x -d 'how much the median may change without being better or worse'
complete -c mqbench -n '__mqbench_behind compare' -l across -x -a 'scenario machine kernel protocol tool all' -d 'compare runs all the same that differ in this: scenario, machine, kernel, protocol, tool or all'
complete -c mqbench -n '__mqbench_behind compare' -l seed -x -d 'of the bootstrap behind the intervals'
complete -c mqbench -n '__mqbench_behind compare' -l json -r -F -d 'write the comparison as JSON, too'
complete -c mqbench -n '__mqbench_behind compare' -F

function __mqbench_report_context
    set -l option
    set -l arguments
    set -l left 0
    for word in (commandline -opc)[3..]
        if test $left -gt 0
            set -a option $word
            set left (math $left - 1)
            test "$option[3..]" = user-property; and set left 2
        else
            switch $word
                case -o --output
                    set left 1
                case '-?*'
                    set left 0
                case '*'
                    set -a arguments $word
                    continue
            end
            set option $word
        end
    end
    test $left -gt 0; and set arguments $option
    echo $arguments
end

complete -c mqbench -n '__mqbench_behind report' -l help -d 'show this help and exit'
complete -c mqbench -n '__mqbench_behind report' -l version -d 'show the version and exit'
complete -c mqbench -n '__mqbench_behind report' -s o -l output -r -F -d 'write the page there, \'-\' is standard output'
complete -c mqbench -n '__mqbench_behind report' -F
