# Completion of mqsub in fish, made by mqsub --print-docs=fish.

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

function __mqsub_behind
    set -l words (commandline -opc)
    contains -- "$words[2]" $argv
end

complete -c mqsub -f

function __mqsub_context
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
                case -t --topic --sub -q --qos --retain-handling -U --unsubscribe -T --filter-out --every --sample --random-filter -F --format --decode -C --count -W --timeout --idle-timeout --expect --exec --exec-jobs --exec-timeout --exec-failure --record --retained-backup --retained-diff -L --url -h --host -p --port --unix --resolve --proxy --no-proxy -A --bind --interface --connect-timeout --retry-max --retry-delay -u --username -P --pw --password --password-file --password-env --password-cmd --auth-method --auth-data --scram-user --token-file --token-env --token-cmd --token-lifetime -i --id -I --id-prefix -x --session-expiry-interval -k --keepalive -M --max-inflight -V --protocol-version --will-topic --will-payload --will-qos --cafile --capath --pin-sha256 --cert --key --keypass-file --keypass-env --keypass-cmd --pkcs12 --psk --psk-file --psk-env --psk-cmd --psk-identity --tls-version --ciphers --tls-ciphersuites --tls-alpn --sni --tls-keylog --ws-path --ws-header --profile --config -o --options-file --log-format --color
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

complete -c mqsub -l help -d 'show this help and exit'
complete -c mqsub -l version -d 'show the version and exit'
complete -c mqsub -s t -l topic -x -d 'subscribe to this topic filter'
complete -c mqsub -l sub -x -d 'subscribe with options of its own, which end at the first colon: qos=, rh='
complete -c mqsub -s q -l qos -x -a '0 1 2' -d 'the highest quality of service at which messages are delivered'
complete -c mqsub -l retain-as-published -d 'the retain flag of a message is as its publisher set it'
complete -c mqsub -l retain-handling -x -a 'always new never' -d 'whether the server sends what it has retained: always, for a new subscription only, or never'
complete -c mqsub -s U -l unsubscribe -x -d 'end this subscription of a kept session'
complete -c mqsub -l allow-partial -d 'go on as long as one filter was granted'
complete -c mqsub -s T -l filter-out -x -d 'leave out messages whose topic matches'
complete -c mqsub -s R -d 'leave out messages that the server had retained before'
complete -c mqsub -l fresh -d 'ask the server for none of its retained messages'
complete -c mqsub -l retained -d 'write the retained messages and end when they have all come'
complete -c mqsub -l retained-only -d 'write retained messages, and end at the first one that is not'
complete -c mqsub -l remove-retained -d 'remove the retained messages that come from the server, but for those that -T leaves out'
complete -c mqsub -l dry-run -d 'only say how many --remove-retained would remove'
complete -c mqsub -l changes -d 'leave out a message whose payload is that of the last one shown of its topic'
complete -c mqsub -l every -x -d 'of each topic show at most one message in this time'
complete -c mqsub -l sample -x -d 'show each message with this probability: 0.1 or 10%'
complete -c mqsub -l random-filter -x -d 'the same in percent, from 0.1 to 100'
complete -c mqsub -s v -l verbose -d 'write the topic, a space and the payload'
complete -c mqsub -s F -l format -x -d 'write what mosquitto_sub\'s format says'
complete -c mqsub -l json -a 'text parse' -d 'write a JSON object per message'
complete -c mqsub -l csv -d 'write a table with a line of headings: time, topic, qos, retain, len, encoding, payload'
complete -c mqsub -l decode -x -d 'payloads of these topics are json, cbor, msgpack, bson, ubjson, sparkplug, hex, base64, int8, int16be, int16le, int32be, int32le, int64be, int64le, uint8, uint16be, uint16le, uint32be, uint32le, uint64be, uint64le, float32be, float32le, float64be, float64le: write what they mean, as JSON'
complete -c mqsub -l pretty -d 'write JSON'
complete -c mqsub -s N -d 'write no newline after each message'
complete -c mqsub -s 0 -l null -d 'write a NUL instead of a newline after each message'
complete -c mqsub -l line-buffered -d 'write each message at once, even when more are waiting to be read'
complete -c mqsub -l events -d 'write connected, subscribed, reconnecting, disconnected and summary as JSON lines, too'
complete -c mqsub -l message-rate -d 'write no messages, but each second how many there were'
complete -c mqsub -s w -l watch -d 'on a terminal, keep a line for each topic'
complete -c mqsub -l stats -d 'write no messages, but each second the rates of topics, counted together by their first LEVELS'
complete -c mqsub -l tree -d 'write no messages, but the tree of their topics: live on a terminal, else at the end'
complete -c mqsub -s C -l count -x -d 'end after N messages'
complete -c mqsub -s W -l timeout -x -d 'end after this time, counted from the start'
complete -c mqsub -l idle-timeout -x -d 'end when nothing was shown for this time, counted from the subscription'
complete -c mqsub -l fail-on-timeout -d 'exit code 9 also for a timeout that missed no goal'
complete -c mqsub -l expect -x -d 'end when a message is like this: topic=FILTER, payload=TEXT, payload~REGEX, /json/pointer>=3 and so on, joined by &&'
complete -c mqsub -s E -d 'end as soon as the server has answered the subscriptions'
complete -c mqsub -l exec -x -d 'write no messages, but run this with /bin/sh for each: the payload is on its standard input, MQ_TOPIC, MQ_QOS, MQ_RETAIN, MQ_TIME, MQ_CONTENT_TYPE, MQ_PROPERTIES'
complete -c mqsub -l exec-jobs -x -d 'how many commands run at the same time'
complete -c mqsub -l exec-timeout -x -d 'end a command that runs longer'
complete -c mqsub -l exec-failure -x -a 'stop continue' -d 'when a command fails: end, leaving its message to the server'
complete -c mqsub -l reply -d 'what the command writes is published to the message\'s Response Topic, with its Correlation Data'
complete -c mqsub -l record -r -F -d 'also append the messages to this file as JSON lines, which mqpub can publish again'
complete -c mqsub -l retained-backup -r -F -d 'write the retained messages to this file as JSON lines, replace it once all have come, and end'
complete -c mqsub -l retained-diff -r -F -d 'compare the retained messages with such a file: \'+ topic\' is new, \'- topic\' is gone, \'~ topic\' has another payload'
complete -c mqsub -s L -l url -x -d 'mqtt://, mqtts://, ws://, wss:// or unix:// address: mqtts://user:password@host:port/topic'
complete -c mqsub -s h -l host -x -d 'the server\'s name or address'
complete -c mqsub -s p -l port -x -d 'the server\'s port'
complete -c mqsub -l unix -r -F -d 'connect to this unix socket'
complete -c mqsub -s 4 -d 'use IPv4 only'
complete -c mqsub -s 6 -d 'use IPv6 only'
complete -c mqsub -l resolve -x -d 'use this address for that host and port'
complete -c mqsub -s S -d 'HOST is a domain: connect to what its SRV records for _mqtt._tcp, with TLS _secure-mqtt._tcp, name'
complete -c mqsub -l proxy -x -d 'connect through this proxy: socks5://, socks5h://'
complete -c mqsub -l no-proxy -x -d 'connect to these without the proxy: names'
complete -c mqsub -s A -l bind -x -d 'connect from this local address'
complete -c mqsub -l interface -x -a '(__mq_interfaces)' -d 'connect through this network interface'
complete -c mqsub -l connect-timeout -x -d 'give up when the server has not accepted the connection after this time'
complete -c mqsub -l reconnect -d 'connect again when the connection fails or is lost, and to another server if this one says so'
complete -c mqsub -l retry-max -x -d 'connect again, but give up after N attempts in a row'
complete -c mqsub -l retry-delay -x -d 'connect again, after a random delay that grows from MIN to MAX'
complete -c mqsub -s u -l username -x -d 'user name'
complete -c mqsub -s P -l pw -l password -x -d 'the password'
complete -c mqsub -l password-file -r -F -d 'the password is in this file, without the newline at its end'
complete -c mqsub -l password-env -x -a '(set -xn)' -d 'the password is in this environment variable'
complete -c mqsub -l password-cmd -x -d 'the password is what this command writes'
complete -c mqsub -l password-prompt -d 'ask for the password on the terminal'
complete -c mqsub -l auth-method -x -d 'authenticate by this method of MQTT 5: SCRAM-SHA-1, SCRAM-SHA-256, SCRAM-SHA-512, or another one that has all its data in one piece'
complete -c mqsub -l auth-data -x -d 'the method\'s data: text, base64:TEXT or @FILE'
complete -c mqsub -l scram-user -x -d 'authenticate by SCRAM'
complete -c mqsub -l token-file -r -F -d 'a token, which is sent as the password, or with --auth-method as its data, is in this file, without the newline at its end'
complete -c mqsub -l token-env -x -a '(set -xn)' -d 'a token, which is sent as the password, or with --auth-method as its data, is in this environment variable'
complete -c mqsub -l token-cmd -x -d 'a token, which is sent as the password, or with --auth-method as its data, is what this command writes'
complete -c mqsub -l token-prompt -d 'ask for a token, which is sent as the password, or with --auth-method as its data, on the terminal'
complete -c mqsub -l token-lifetime -x -d 'how long the token is good, if it does not say so itself'
complete -c mqsub -s i -l id -x -d 'client id'
complete -c mqsub -s I -l id-prefix -x -d 'a random client id with this beginning'
complete -c mqsub -s c -l disable-clean-session -d 'go on with the session that the server keeps for this client id, and leave it there'
complete -c mqsub -s x -l session-expiry-interval -x -d 'how long the server keeps the session after the connection ends, or \'never\''
complete -c mqsub -s k -l keepalive -x -d 'longest silence before the connection is probed'
complete -c mqsub -s M -l max-inflight -x -d 'messages that may wait for their acknowledgement, in each direction'
complete -c mqsub -s V -l protocol-version -x -a '5 311 31' -d 'speak only this version of MQTT'
complete -c mqsub -s D -l property -x -a 'connect will subscribe unsubscribe disconnect' -d 'set a property of MQTT 5'
complete -c mqsub -l will-topic -x -d 'leave a message with the server, to be published here if this client vanishes'
complete -c mqsub -l will-payload -x -d 'its payload'
complete -c mqsub -l will-qos -x -a '0 1 2' -d 'its quality of service'
complete -c mqsub -l will-retain -d 'it is retained'
complete -c mqsub -l will-on-exit -d 'it is published when a signal ends the program, too'
complete -c mqsub -l cafile -r -F -d 'trust the CA certificates in this PEM file, instead of the system\'s'
complete -c mqsub -l capath -x -a '(__fish_complete_directories)' -d 'trust the CA certificates in this directory'
complete -c mqsub -l tls-use-os-certs -d 'trust the system\'s CA certificates, also besides --cafile and --capath'
complete -c mqsub -l insecure -d 'do not verify the server\'s certificate: anybody may listen in, unless its key is pinned'
complete -c mqsub -l pin-sha256 -x -d 'accept only a server whose public key has this SHA-256'
complete -c mqsub -l cert -r -F -d 'the client\'s certificate, with its chain'
complete -c mqsub -l key -r -F -d 'the certificate\'s key, or the URI of an OpenSSL store that has it'
complete -c mqsub -l keypass-file -r -F -d 'the password of --key or --pkcs12 is in this file, without the newline at its end'
complete -c mqsub -l keypass-env -x -a '(set -xn)' -d 'the password of --key or --pkcs12 is in this environment variable'
complete -c mqsub -l keypass-cmd -x -d 'the password of --key or --pkcs12 is what this command writes'
complete -c mqsub -l keypass-prompt -d 'ask for the password of --key or --pkcs12 on the terminal'
complete -c mqsub -l pkcs12 -r -F -d 'the client\'s certificate, chain and key in one file'
complete -c mqsub -l psk -x -d 'the pre-shared key in the place of certificates'
complete -c mqsub -l psk-file -r -F -d 'the pre-shared key, hexadecimal, is in this file, without the newline at its end'
complete -c mqsub -l psk-env -x -a '(set -xn)' -d 'the pre-shared key, hexadecimal, is in this environment variable'
complete -c mqsub -l psk-cmd -x -d 'the pre-shared key, hexadecimal, is what this command writes'
complete -c mqsub -l psk-prompt -d 'ask for the pre-shared key, hexadecimal, on the terminal'
complete -c mqsub -l psk-identity -x -d 'whose pre-shared key it is'
complete -c mqsub -l tls-version -x -d 'TLS versions to accept: 1.2, 1.3 or a range'
complete -c mqsub -l ciphers -x -d 'OpenSSL cipher list for TLS 1.2'
complete -c mqsub -l tls-ciphersuites -x -d 'OpenSSL cipher suites for TLS 1.3'
complete -c mqsub -l tls-alpn -x -d 'application protocols to offer'
complete -c mqsub -l sni -x -d 'the name to ask for and to find in the certificate, instead of the host\'s'
complete -c mqsub -l tls-keylog -r -F -d 'append the session keys, for Wireshark'
complete -c mqsub -l no-tls -d 'no TLS, whatever a file or a variable says'
complete -c mqsub -l ws-path -x -d 'use WebSocket, at this path'
complete -c mqsub -l ws-header -x -d 'use WebSocket, and send this header with its upgrade'
complete -c mqsub -l profile -x -a '(__mq_profiles)' -d 'read options from $XDG_CONFIG_HOME/mq/NAME.toml'
complete -c mqsub -l config -r -F -d 'read options from this TOML file: host = "broker.lan"'
complete -c mqsub -s o -l options-file -r -F -d 'read options from this file, one and its value a line: -h broker.lan'
complete -c mqsub -l show-config -d 'show which options are in effect and where they come from, secrets masked, and exit'
complete -c mqsub -s d -l debug -d 'a line on standard error for each packet'
complete -c mqsub -l quiet -d 'no warnings on standard error, only errors'
complete -c mqsub -l log-format -x -a 'text json' -d 'how lines on standard error look'
complete -c mqsub -l color -x -a 'auto always never' -d 'colours on standard error and of topics on standard output'
complete -c mqsub -n 'contains -- "$(__mqsub_context)" \'-D connect\' \'--property connect\'' -a 'session-expiry-interval authentication-method authentication-data request-problem-information request-response-information receive-maximum topic-alias-maximum user-property maximum-packet-size'
complete -c mqsub -n 'contains -- "$(__mqsub_context)" \'-D will\' \'--property will\'' -a 'payload-format-indicator message-expiry-interval content-type response-topic correlation-data will-delay-interval user-property'
complete -c mqsub -n 'contains -- "$(__mqsub_context)" \'-D subscribe\' \'--property subscribe\'' -a 'subscription-identifier user-property'
complete -c mqsub -n 'contains -- "$(__mqsub_context)" \'-D unsubscribe\' \'--property unsubscribe\'' -a 'user-property'
complete -c mqsub -n 'contains -- "$(__mqsub_context)" \'-D disconnect\' \'--property disconnect\'' -a 'session-expiry-interval reason-string user-property'
