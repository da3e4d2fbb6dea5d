# Completion of mqpub in fish, made by mqpub --print-docs=fish.

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

function __mqpub_behind
    set -l words (commandline -opc)
    contains -- "$words[2]" $argv
end

complete -c mqpub -f

function __mqpub_context
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
                case -t --topic -m --message -f --file --dir -q --qos --repeat --repeat-delay -W --timeout --delimiter --rate --spool --summary --topic-template --payload-template --replay --speed -L --url -h --host -p --port --unix --resolve --proxy --no-proxy -A --bind --interface --connect-timeout --retry-max --retry-delay -u --username -P --pw --password --password-file --password-env --password-cmd --auth-method --auth-data --scram-user --token-file --token-env --token-cmd --token-lifetime -i --id -I --id-prefix -x --session-expiry-interval -k --keepalive -M --max-inflight -V --protocol-version --will-topic --will-payload --will-qos --cafile --capath --pin-sha256 --cert --key --keypass-file --keypass-env --keypass-cmd --pkcs12 --psk --psk-file --psk-env --psk-cmd --psk-identity --tls-version --ciphers --tls-ciphersuites --tls-alpn --sni --tls-keylog --ws-path --ws-header --profile --config -o --options-file --log-format --color
                    set left 1
                case --rewrite
                    set left 2
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

complete -c mqpub -l help -d 'show this help and exit'
complete -c mqpub -l version -d 'show the version and exit'
complete -c mqpub -s t -l topic -x -d 'the topic to publish to'
complete -c mqpub -s m -l message -x -d 'the payload'
complete -c mqpub -s f -l file -r -F -d 'the payload is this file\'s content'
complete -c mqpub -l dir -x -a '(__fish_complete_directories)' -d 'as -f with every regular file of this directory, by name'
complete -c mqpub -s s -l stdin-file -d 'the payload is all of standard input'
complete -c mqpub -s n -l null-message -d 'the payload is empty'
complete -c mqpub -s q -l qos -x -a '0 1 2' -d 'quality of service: 0 at most once, 1 at least once, 2 exactly once'
complete -c mqpub -s r -l retain -d 'the server keeps the message for later subscribers'
complete -c mqpub -l repeat -x -d 'publish the message N times'
complete -c mqpub -l repeat-delay -x -d 'time between repetitions'
complete -c mqpub -l confirm -d 'at QoS 0, wait until the server has read everything'
complete -c mqpub -s W -l timeout -x -d 'give up after this time, counted from the start'
complete -c mqpub -s l -l stdin-line -d 'each line of standard input'
complete -c mqpub -s 0 -l nul -d 'each record is a payload'
complete -c mqpub -l delimiter -x -d 'each record is a payload'
complete -c mqpub -l length-prefix -d 'each record is a payload, with its length before it: four bytes, the highest first'
complete -c mqpub -l json -d 'each line is a message as mqsub --json writes it: topic, payload, qos, retain, properties'
complete -c mqpub -l rate -x -d 'no more messages than that: per second, /m minute or /h hour'
complete -c mqpub -l spool -r -F -d 'keep what is in flight in FILE, so that a killed mqpub that is started again with it sends that first'
complete -c mqpub -l spool-resume -d 'the input is the one of the killed run: leave out the records that it has taken'
complete -c mqpub -l summary -x -a 'text json' -d 'write sent, acked, rejected and unacked to standard error at the end, also when all went well'
complete -c mqpub -l topic-template -x -d 'the topic of each message, made as --payload-template makes payloads'
complete -c mqpub -l payload-template -x -d 'the payload of each message, with {seq} {seq:FIRST} counters, {line}'
complete -c mqpub -l replay -r -F -d 'publish a recording of mqsub --json in its own time'
complete -c mqpub -l speed -x -d 'replay so many times as fast'
complete -c mqpub -l loop -d 'replay N times, or without =N for ever'
complete -c mqpub -l rewrite -x -d 'publish what was recorded at FROM and below it at TO'
complete -c mqpub -s L -l url -x -d 'mqtt://, mqtts://, ws://, wss:// or unix:// address: mqtts://user:password@host:port/topic'
complete -c mqpub -s h -l host -x -d 'the server\'s name or address'
complete -c mqpub -s p -l port -x -d 'the server\'s port'
complete -c mqpub -l unix -r -F -d 'connect to this unix socket'
complete -c mqpub -s 4 -d 'use IPv4 only'
complete -c mqpub -s 6 -d 'use IPv6 only'
complete -c mqpub -l resolve -x -d 'use this address for that host and port'
complete -c mqpub -s S -d 'HOST is a domain: connect to what its SRV records for _mqtt._tcp, with TLS _secure-mqtt._tcp, name'
complete -c mqpub -l proxy -x -d 'connect through this proxy: socks5://, socks5h://'
complete -c mqpub -l no-proxy -x -d 'connect to these without the proxy: names'
complete -c mqpub -s A -l bind -x -d 'connect from this local address'
complete -c mqpub -l interface -x -a '(__mq_interfaces)' -d 'connect through this network interface'
complete -c mqpub -l connect-timeout -x -d 'give up when the server has not accepted the connection after this time'
complete -c mqpub -l reconnect -d 'connect again when the connection fails or is lost, and to another server if this one says so'
complete -c mqpub -l retry-max -x -d 'connect again, but give up after N attempts in a row'
complete -c mqpub -l retry-delay -x -d 'connect again, after a random delay that grows from MIN to MAX'
complete -c mqpub -s u -l username -x -d 'user name'
complete -c mqpub -s P -l pw -l password -x -d 'the password'
complete -c mqpub -l password-file -r -F -d 'the password is in this file, without the newline at its end'
complete -c mqpub -l password-env -x -a '(set -xn)' -d 'the password is in this environment variable'
complete -c mqpub -l password-cmd -x -d 'the password is what this command writes'
complete -c mqpub -l password-prompt -d 'ask for the password on the terminal'
complete -c mqpub -l auth-method -x -d 'authenticate by this method of MQTT 5: SCRAM-SHA-1, SCRAM-SHA-256, SCRAM-SHA-512, or another one that has all its data in one piece'
complete -c mqpub -l auth-data -x -d 'the method\'s data: text, base64:TEXT or @FILE'
complete -c mqpub -l scram-user -x -d 'authenticate by SCRAM'
complete -c mqpub -l token-file -r -F -d 'a token, which is sent as the password, or with --auth-method as its data, is in this file, without the newline at its end'
complete -c mqpub -l token-env -x -a '(set -xn)' -d 'a token, which is sent as the password, or with --auth-method as its data, is in this environment variable'
complete -c mqpub -l token-cmd -x -d 'a token, which is sent as the password, or with --auth-method as its data, is what this command writes'
complete -c mqpub -l token-prompt -d 'ask for a token, which is sent as the password, or with --auth-method as its data, on the terminal'
complete -c mqpub -l token-lifetime -x -d 'how long the token is good, if it does not say so itself'
complete -c mqpub -s i -l id -x -d 'client id'
complete -c mqpub -s I -l id-prefix -x -d 'a random client id with this beginning'
complete -c mqpub -s c -l disable-clean-session -d 'go on with the session that the server keeps for this client id, and leave it there'
complete -c mqpub -s x -l session-expiry-interval -x -d 'how long the server keeps the session after the connection ends, or \'never\''
complete -c mqpub -s k -l keepalive -x -d 'longest silence before the connection is probed'
complete -c mqpub -s M -l max-inflight -x -d 'messages that may wait for their acknowledgement, in each direction'
complete -c mqpub -s V -l protocol-version -x -a '5 311 31' -d 'speak only this version of MQTT'
complete -c mqpub -s D -l property -x -a 'connect will publish disconnect' -d 'set a property of MQTT 5'
complete -c mqpub -l will-topic -x -d 'leave a message with the server, to be published here if this client vanishes'
complete -c mqpub -l will-payload -x -d 'its payload'
complete -c mqpub -l will-qos -x -a '0 1 2' -d 'its quality of service'
complete -c mqpub -l will-retain -d 'it is retained'
complete -c mqpub -l will-on-exit -d 'it is published when a signal ends the program, too'
complete -c mqpub -l cafile -r -F -d 'trust the CA certificates in this PEM file, instead of the system\'s'
complete -c mqpub -l capath -x -a '(__fish_complete_directories)' -d 'trust the CA certificates in this directory'
complete -c mqpub -l tls-use-os-certs -d 'trust the system\'s CA certificates, also besides --cafile and --capath'
complete -c mqpub -l insecure -d 'do not verify the server\'s certificate: anybody may listen in, unless its key is pinned'
complete -c mqpub -l pin-sha256 -x -d 'accept only a server whose public key has this SHA-256'
complete -c mqpub -l cert -r -F -d 'the client\'s certificate, with its chain'
complete -c mqpub -l key -r -F -d 'the certificate\'s key, or the URI of an OpenSSL store that has it'
complete -c mqpub -l keypass-file -r -F -d 'the password of --key or --pkcs12 is in this file, without the newline at its end'
complete -c mqpub -l keypass-env -x -a '(set -xn)' -d 'the password of --key or --pkcs12 is in this environment variable'
complete -c mqpub -l keypass-cmd -x -d 'the password of --key or --pkcs12 is what this command writes'
complete -c mqpub -l keypass-prompt -d 'ask for the password of --key or --pkcs12 on the terminal'
complete -c mqpub -l pkcs12 -r -F -d 'the client\'s certificate, chain and key in one file'
complete -c mqpub -l psk -x -d 'the pre-shared key in the place of certificates'
complete -c mqpub -l psk-file -r -F -d 'the pre-shared key, hexadecimal, is in this file, without the newline at its end'
complete -c mqpub -l psk-env -x -a '(set -xn)' -d 'the pre-shared key, hexadecimal, is in this environment variable'
complete -c mqpub -l psk-cmd -x -d 'the pre-shared key, hexadecimal, is what this command writes'
complete -c mqpub -l psk-prompt -d 'ask for the pre-shared key, hexadecimal, on the terminal'
complete -c mqpub -l psk-identity -x -d 'whose pre-shared key it is'
complete -c mqpub -l tls-version -x -d 'TLS versions to accept: 1.2, 1.3 or a range'
complete -c mqpub -l ciphers -x -d 'OpenSSL cipher list for TLS 1.2'
complete -c mqpub -l tls-ciphersuites -x -d 'OpenSSL cipher suites for TLS 1.3'
complete -c mqpub -l tls-alpn -x -d 'application protocols to offer'
complete -c mqpub -l sni -x -d 'the name to ask for and to find in the certificate, instead of the host\'s'
complete -c mqpub -l tls-keylog -r -F -d 'append the session keys, for Wireshark'
complete -c mqpub -l no-tls -d 'no TLS, whatever a file or a variable says'
complete -c mqpub -l ws-path -x -d 'use WebSocket, at this path'
complete -c mqpub -l ws-header -x -d 'use WebSocket, and send this header with its upgrade'
complete -c mqpub -l profile -x -a '(__mq_profiles)' -d 'read options from $XDG_CONFIG_HOME/mq/NAME.toml'
complete -c mqpub -l config -r -F -d 'read options from this TOML file: host = "broker.lan"'
complete -c mqpub -s o -l options-file -r -F -d 'read options from this file, one and its value a line: -h broker.lan'
complete -c mqpub -l show-config -d 'show which options are in effect and where they come from, secrets masked, and exit'
complete -c mqpub -s d -l debug -d 'a line on standard error for each packet'
complete -c mqpub -l quiet -d 'no warnings on standard error, only errors'
complete -c mqpub -l log-format -x -a 'text json' -d 'how lines on standard error look'
complete -c mqpub -l color -x -a 'auto always never' -d 'colours on standard error and of topics on standard output'
complete -c mqpub -n 'contains -- "$(__mqpub_context)" \'-D connect\' \'--property connect\'' -a 'session-expiry-interval authentication-method authentication-data request-problem-information request-response-information receive-maximum topic-alias-maximum user-property maximum-packet-size'
complete -c mqpub -n 'contains -- "$(__mqpub_context)" \'-D will\' \'--property will\'' -a 'payload-format-indicator message-expiry-interval content-type response-topic correlation-data will-delay-interval user-property'
complete -c mqpub -n 'contains -- "$(__mqpub_context)" \'-D publish\' \'--property publish\'' -a 'payload-format-indicator message-expiry-interval content-type response-topic correlation-data topic-alias user-property'
complete -c mqpub -n 'contains -- "$(__mqpub_context)" \'-D disconnect\' \'--property disconnect\'' -a 'session-expiry-interval reason-string user-property'
