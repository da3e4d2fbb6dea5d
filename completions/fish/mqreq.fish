# Completion of mqreq in fish, made by mqreq --print-docs=fish.

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

function __mqreq_behind
    set -l words (commandline -opc)
    contains -- "$words[2]" $argv
end

complete -c mqreq -f

function __mqreq_context
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
                case -t --topic -m --message -f --file -q --qos -e --response-topic --replies -W --timeout -F --format --decode -L --url -h --host -p --port --unix --resolve --proxy --no-proxy -A --bind --interface --connect-timeout --retry-max --retry-delay -u --username -P --pw --password --password-file --password-env --password-cmd --auth-method --auth-data --scram-user --token-file --token-env --token-cmd --token-lifetime -i --id -I --id-prefix -x --session-expiry-interval -k --keepalive -M --max-inflight -V --protocol-version --will-topic --will-payload --will-qos --cafile --capath --pin-sha256 --cert --key --keypass-file --keypass-env --keypass-cmd --pkcs12 --psk --psk-file --psk-env --psk-cmd --psk-identity --tls-version --ciphers --tls-ciphersuites --tls-alpn --sni --tls-keylog --ws-path --ws-header --profile --config -o --options-file --log-format --color
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

complete -c mqreq -l help -d 'show this help and exit'
complete -c mqreq -l version -d 'show the version and exit'
complete -c mqreq -s t -l topic -x -d 'the topic that the request is published to'
complete -c mqreq -s m -l message -x -d 'the payload'
complete -c mqreq -s f -l file -r -F -d 'the payload is this file\'s content'
complete -c mqreq -s s -l stdin-file -d 'the payload is all of standard input'
complete -c mqreq -s n -l null-message -d 'the payload is empty'
complete -c mqreq -s q -l qos -x -a '0 1 2' -d 'quality of service of the request, and the highest of replies'
complete -c mqreq -s e -l response-topic -x -d 'the topic that replies come on'
complete -c mqreq -l replies -x -d 'wait for N replies, as from several responders'
complete -c mqreq -s W -l timeout -x -d 'give up after this time, counted from the start'
complete -c mqreq -l retain-as-published -d 'the retain flag of a reply is as its publisher set it'
complete -c mqreq -s R -d 'leave out retained messages, which is always done'
complete -c mqreq -s v -l verbose -d 'write the topic, a space and the payload'
complete -c mqreq -s F -l format -x -d 'write what mosquitto_sub\'s format says'
complete -c mqreq -l json -a 'text parse' -d 'write a JSON object per message'
complete -c mqreq -l csv -d 'write a table with a line of headings: time, topic, qos, retain, len, encoding, payload'
complete -c mqreq -l decode -x -d 'payloads of these topics are json, cbor, msgpack, bson, ubjson, sparkplug, hex, base64, int8, int16be, int16le, int32be, int32le, int64be, int64le, uint8, uint16be, uint16le, uint32be, uint32le, uint64be, uint64le, float32be, float32le, float64be, float64le: write what they mean, as JSON'
complete -c mqreq -l pretty -d 'write JSON'
complete -c mqreq -s N -d 'write no newline after each message'
complete -c mqreq -s 0 -l null -d 'write a NUL instead of a newline after each message'
complete -c mqreq -l line-buffered -d 'write each message at once, even when more are waiting to be read'
complete -c mqreq -s L -l url -x -d 'mqtt://, mqtts://, ws://, wss:// or unix:// address: mqtts://user:password@host:port/topic'
complete -c mqreq -s h -l host -x -d 'the server\'s name or address'
complete -c mqreq -s p -l port -x -d 'the server\'s port'
complete -c mqreq -l unix -r -F -d 'connect to this unix socket'
complete -c mqreq -s 4 -d 'use IPv4 only'
complete -c mqreq -s 6 -d 'use IPv6 only'
complete -c mqreq -l resolve -x -d 'use this address for that host and port'
complete -c mqreq -s S -d 'HOST is a domain: connect to what its SRV records for _mqtt._tcp, with TLS _secure-mqtt._tcp, name'
complete -c mqreq -l proxy -x -d 'connect through this proxy: socks5://, socks5h://'
complete -c mqreq -l no-proxy -x -d 'connect to these without the proxy: names'
complete -c mqreq -s A -l bind -x -d 'connect from this local address'
complete -c mqreq -l interface -x -a '(__mq_interfaces)' -d 'connect through this network interface'
complete -c mqreq -l connect-timeout -x -d 'give up when the server has not accepted the connection after this time'
complete -c mqreq -l reconnect -d 'connect again when the connection fails or is lost, and to another server if this one says so'
complete -c mqreq -l retry-max -x -d 'connect again, but give up after N attempts in a row'
complete -c mqreq -l retry-delay -x -d 'connect again, after a random delay that grows from MIN to MAX'
complete -c mqreq -s u -l username -x -d 'user name'
complete -c mqreq -s P -l pw -l password -x -d 'the password'
complete -c mqreq -l password-file -r -F -d 'the password is in this file, without the newline at its end'
complete -c mqreq -l password-env -x -a '(set -xn)' -d 'the password is in this environment variable'
complete -c mqreq -l password-cmd -x -d 'the password is what this command writes'
complete -c mqreq -l password-prompt -d 'ask for the password on the terminal'
complete -c mqreq -l auth-method -x -d 'authenticate by this method of MQTT 5: SCRAM-SHA-1, SCRAM-SHA-256, SCRAM-SHA-512, or another one that has all its data in one piece'
complete -c mqreq -l auth-data -x -d 'the method\'s data: text, base64:TEXT or @FILE'
complete -c mqreq -l scram-user -x -d 'authenticate by SCRAM'
complete -c mqreq -l token-file -r -F -d 'a token, which is sent as the password, or with --auth-method as its data, is in this file, without the newline at its end'
complete -c mqreq -l token-env -x -a '(set -xn)' -d 'a token, which is sent as the password, or with --auth-method as its data, is in this environment variable'
complete -c mqreq -l token-cmd -x -d 'a token, which is sent as the password, or with --auth-method as its data, is what this command writes'
complete -c mqreq -l token-prompt -d 'ask for a token, which is sent as the password, or with --auth-method as its data, on the terminal'
complete -c mqreq -l token-lifetime -x -d 'how long the token is good, if it does not say so itself'
complete -c mqreq -s i -l id -x -d 'client id'
complete -c mqreq -s I -l id-prefix -x -d 'a random client id with this beginning'
complete -c mqreq -s c -l disable-clean-session -d 'go on with the session that the server keeps for this client id, and leave it there'
complete -c mqreq -s x -l session-expiry-interval -x -d 'how long the server keeps the session after the connection ends, or \'never\''
complete -c mqreq -s k -l keepalive -x -d 'longest silence before the connection is probed'
complete -c mqreq -s M -l max-inflight -x -d 'messages that may wait for their acknowledgement, in each direction'
complete -c mqreq -s V -l protocol-version -x -a '5 311 31' -d 'speak only this version of MQTT'
complete -c mqreq -s D -l property -x -a 'connect will publish subscribe disconnect' -d 'set a property of MQTT 5'
complete -c mqreq -l will-topic -x -d 'leave a message with the server, to be published here if this client vanishes'
complete -c mqreq -l will-payload -x -d 'its payload'
complete -c mqreq -l will-qos -x -a '0 1 2' -d 'its quality of service'
complete -c mqreq -l will-retain -d 'it is retained'
complete -c mqreq -l will-on-exit -d 'it is published when a signal ends the program, too'
complete -c mqreq -l cafile -r -F -d 'trust the CA certificates in this PEM file, instead of the system\'s'
complete -c mqreq -l capath -x -a '(__fish_complete_directories)' -d 'trust the CA certificates in this directory'
complete -c mqreq -l tls-use-os-certs -d 'trust the system\'s CA certificates, also besides --cafile and --capath'
complete -c mqreq -l insecure -d 'do not verify the server\'s certificate: anybody may listen in, unless its key is pinned'
complete -c mqreq -l pin-sha256 -x -d 'accept only a server whose public key has this SHA-256'
complete -c mqreq -l cert -r -F -d 'the client\'s certificate, with its chain'
complete -c mqreq -l key -r -F -d 'the certificate\'s key, or the URI of an OpenSSL store that has it'
complete -c mqreq -l keypass-file -r -F -d 'the password of --key or --pkcs12 is in this file, without the newline at its end'
complete -c mqreq -l keypass-env -x -a '(set -xn)' -d 'the password of --key or --pkcs12 is in this environment variable'
complete -c mqreq -l keypass-cmd -x -d 'the password of --key or --pkcs12 is what this command writes'
complete -c mqreq -l keypass-prompt -d 'ask for the password of --key or --pkcs12 on the terminal'
complete -c mqreq -l pkcs12 -r -F -d 'the client\'s certificate, chain and key in one file'
complete -c mqreq -l psk -x -d 'the pre-shared key in the place of certificates'
complete -c mqreq -l psk-file -r -F -d 'the pre-shared key, hexadecimal, is in this file, without the newline at its end'
complete -c mqreq -l psk-env -x -a '(set -xn)' -d 'the pre-shared key, hexadecimal, is in this environment variable'
complete -c mqreq -l psk-cmd -x -d 'the pre-shared key, hexadecimal, is what this command writes'
complete -c mqreq -l psk-prompt -d 'ask for the pre-shared key, hexadecimal, on the terminal'
complete -c mqreq -l psk-identity -x -d 'whose pre-shared key it is'
complete -c mqreq -l tls-version -x -d 'TLS versions to accept: 1.2, 1.3 or a range'
complete -c mqreq -l ciphers -x -d 'OpenSSL cipher list for TLS 1.2'
complete -c mqreq -l tls-ciphersuites -x -d 'OpenSSL cipher suites for TLS 1.3'
complete -c mqreq -l tls-alpn -x -d 'application protocols to offer'
complete -c mqreq -l sni -x -d 'the name to ask for and to find in the certificate, instead of the host\'s'
complete -c mqreq -l tls-keylog -r -F -d 'append the session keys, for Wireshark'
complete -c mqreq -l no-tls -d 'no TLS, whatever a file or a variable says'
complete -c mqreq -l ws-path -x -d 'use WebSocket, at this path'
complete -c mqreq -l ws-header -x -d 'use WebSocket, and send this header with its upgrade'
complete -c mqreq -l profile -x -a '(__mq_profiles)' -d 'read options from $XDG_CONFIG_HOME/mq/NAME.toml'
complete -c mqreq -l config -r -F -d 'read options from this TOML file: host = "broker.lan"'
complete -c mqreq -s o -l options-file -r -F -d 'read options from this file, one and its value a line: -h broker.lan'
complete -c mqreq -l show-config -d 'show which options are in effect and where they come from, secrets masked, and exit'
complete -c mqreq -s d -l debug -d 'a line on standard error for each packet'
complete -c mqreq -l quiet -d 'no warnings on standard error, only errors'
complete -c mqreq -l log-format -x -a 'text json' -d 'how lines on standard error look'
complete -c mqreq -l color -x -a 'auto always never' -d 'colours on standard error and of topics on standard output'
complete -c mqreq -n 'contains -- "$(__mqreq_context)" \'-D connect\' \'--property connect\'' -a 'session-expiry-interval authentication-method authentication-data request-problem-information request-response-information receive-maximum topic-alias-maximum user-property maximum-packet-size'
complete -c mqreq -n 'contains -- "$(__mqreq_context)" \'-D will\' \'--property will\'' -a 'payload-format-indicator message-expiry-interval content-type response-topic correlation-data will-delay-interval user-property'
complete -c mqreq -n 'contains -- "$(__mqreq_context)" \'-D publish\' \'--property publish\'' -a 'payload-format-indicator message-expiry-interval content-type response-topic correlation-data topic-alias user-property'
complete -c mqreq -n 'contains -- "$(__mqreq_context)" \'-D subscribe\' \'--property subscribe\'' -a 'subscription-identifier user-property'
complete -c mqreq -n 'contains -- "$(__mqreq_context)" \'-D disconnect\' \'--property disconnect\'' -a 'session-expiry-interval reason-string user-property'
