# Completion of mqbroker in fish, made by mqbroker --print-docs=fish.

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

function __mqbroker_behind
    set -l words (commandline -opc)
    contains -- "$words[2]" $argv
end

complete -c mqbroker -f

function __mqbroker_context
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
                case --listen -h --host --bind -p --port -c --config --threads --ready-fd --unix-mode --cert --key --keypass-file --keypass-env --keypass-cmd --client-certs --cafile --capath --psk-file --tls-version --ciphers --tls-ciphersuites --password-file --max-login-delay --jwt-keys --jwt-secret-file --jwt-audience --jwt-issuer --jwt-user-claim --jwt-client-id-claim --acl-file --db --durability --bridge --bridge-topic --bridge-id --bridge-address --bridge-protocol-version --bridge-retry-delay --bridge-cafile --bridge-cert --bridge-key --bridge-keypass-file --bridge-password-file --receive-maximum --receive-maximum-policy --max-packet-size --topic-alias-maximum --max-keepalive --max-qos --max-session-expiry --max-inflight --max-queued-messages --max-queued-bytes --max-memory --write-backlog --slow-consumer --slow-consumer-grace --return-grace --refused-publish --max-connections --max-sessions --connect-timeout --max-connect-packet-size --max-retained --max-retained-bytes --max-subscriptions --max-subscriptions-total --max-topic-levels --max-topic-length --trace --sys-interval --metrics --log-format --color
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

complete -c mqbroker -n 'not __mqbroker_behind passwd' -l help -d 'show this help and exit'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l version -d 'show the version and exit'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l listen -x -d 'listen here: mqtt://, mqtts://, ws://, wss:// with ADDRESS:PORT and, for WebSocket, a path'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -s h -l host -l bind -x -d 'listen for MQTT over TCP at this address'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -s p -l port -x -d 'listen for MQTT over TCP at this port'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -s c -l config -r -F -d 'read options from this TOML file, by their long names without \'--\''
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l threads -x -d 'of so many threads one is the broker, and the others carry the connections, each from its beginning to its end: their system calls, TLS and WebSocket, and messages of QoS 0, which they route among themselves'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l check-config -d 'read the configuration and the certificates, say whether they can be used, and exit'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l print-address -d 'write a URL per address to standard output once all listen'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l ready-fd -x -d 'write a newline to this descriptor once all listen, and close it'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l allow-anonymous -d 'let anybody in who can reach an address beyond this machine, and with --password-file who has no user name'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l proxy-protocol -d 'connections come through a proxy that sends the PROXY protocol header, v1 or v2'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l unix-mode -x -d 'permissions of a unix socket'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l cert -r -F -d 'mqtts, wss: the server\'s certificate, with its chain'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l key -r -F -d 'the certificate\'s key'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l keypass-file -r -F -d 'the key\'s password is in this file, without the newline at its end'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l keypass-env -x -a '(set -xn)' -d 'the key\'s password is in this environment variable'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l keypass-cmd -x -d 'the key\'s password is what this command writes'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l keypass-prompt -d 'ask for the key\'s password on the terminal'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l client-certs -x -a 'none optional required' -d 'whether clients show certificates, signed by a CA of --cafile or --capath'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l cafile -r -F -d 'CA certificates for the clients\''
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l capath -x -a '(__fish_complete_directories)' -d 'directory of CA certificates for the clients\''
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l cert-as-user -d 'a client\'s user name is its certificate\'s common name, whatever its CONNECT says'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l psk-file -r -F -d 'mqtts, wss: instead of certificates, keys that are shared with the clients: lines IDENTITY:KEY, the key hexadecimal, as mosquitto\'s psk_file has them'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l tls-version -x -d 'TLS versions to accept: 1.2, 1.3 or a range'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l ciphers -x -d 'OpenSSL cipher list for TLS 1.2'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l tls-ciphersuites -x -d 'OpenSSL cipher suites for TLS 1.3'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l password-file -r -F -d 'let in only who has a user name and its password in this file, as mqbroker passwd or mosquitto_passwd write it: by CONNECT or, for what mqbroker passwd has written, by SCRAM-SHA-512 too, and by SCRAM-SHA-256 with its --scram-sha-256'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-login-delay -x -d 'an address from which ten logins have failed waits for a second until the next is looked at, then twice as long after each failure, up to this'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l jwt-keys -r -F -d 'let in who shows a JSON Web Token that is signed with one of these keys, as password or by the authentication method JWT: public keys'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l jwt-secret-file -r -F -d 'the same with the secret in this file, of at least 32 bytes'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l jwt-audience -x -d 'take only tokens that name this audience'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l jwt-issuer -x -d 'take only tokens of this issuer'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l jwt-user-claim -x -d 'the claim that is the user name'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l jwt-client-id-claim -x -d 'a claim that has to be the client id'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l acl-file -r -F -d 'clients may publish and read only what this file allows, in mosquitto\'s format: lines \'topic [read|write|readwrite|deny] FILTER\' for the user of the line \'user NAME\' above them, at first for anonymous clients, and \'pattern [...] FILTER\' for everybody, with %u for the user name and %c for the client id'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l db -r -F -d 'keep sessions, their QoS 1 and 2 messages, retained messages and Wills in this SQLite database'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l durability -x -a 'full relaxed' -d 'full: what is acknowledged is on the disk'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l bridge -x -d 'pass messages on to another server and take them from there: mqtt://, mqtts://, ws://, wss:// or unix:// with user name and password'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l bridge-topic -x -d 'what goes over it, as mosquitto says it: PATTERN [out|in|both [QOS [LOCAL-PREFIX [REMOTE-PREFIX]]]]'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l bridge-id -x -d 'its client id at the remote server, where it has a session that stays: each bridge there needs another one'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l bridge-address -x -d 'another node of the same cluster: tried when those before it cannot be reached'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l bridge-protocol-version -x -a '5 311' -d 'the version of MQTT'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l bridge-retry-delay -x -d 'a lost or refused connection is tried again after a random delay that grows from MIN to MAX, for ever'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l bridge-cafile -r -F -d 'mqtts, wss: CA certificates for the server\'s'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l bridge-cert -r -F -d 'mqtts, wss: a certificate of our own'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l bridge-key -r -F -d 'its key'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l bridge-keypass-file -r -F -d 'the key\'s password is in this file'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l bridge-password-file -r -F -d 'the password for the user name of the URL is in this file, and in no list of processes'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l receive-maximum -x -d 'messages of a client that may wait for their acknowledgement'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l receive-maximum-policy -x -a 'strict tolerant' -d 'strict: a client that exceeds it is disconnected'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-packet-size -x -d 'the largest packet that a client may send'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l topic-alias-maximum -x -d 'how many Topic Aliases a client may use'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-keepalive -x -d 'the longest Keep Alive of an MQTT 5 client'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-qos -x -a '0 1 2' -d 'the highest quality of service for publishing'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-session-expiry -x -d 'how long the session of an absent client is kept at most, or \'never\' to give it up'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l no-retain -d 'no retained messages'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l no-wildcard -d 'no wildcard subscriptions'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l no-shared -d 'no shared subscriptions'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-inflight -x -d 'messages to a client that wait for its acknowledgement'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-queued-messages -x -d 'messages that wait for one client'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-queued-bytes -x -d 'bytes of the messages that wait for one client'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-memory -x -d 'bytes of all clients together: messages that wait, are in flight, are being written or are Wills'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l write-backlog -x -d 'bytes given to a client\'s connection before messages wait in its queue'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l slow-consumer -x -a 'drop stall disconnect' -d 'when a client\'s queue is full: drop QoS 0, and for QoS 1 and 2 let publishers wait while it reads'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l slow-consumer-grace -x -d 'after so long without reading, a client with a full queue has stopped'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l return-grace -x -d 'after a restart with --db: how long publishers wait for readers that were connected before and have not come back, once their queues are half full'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l refused-publish -x -a 'drop disconnect' -d 'a message that a 3.1.1 or 3.1 client may not publish, for which these versions have no code: drop it, acknowledged, or disconnect the client'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-connections -x -d 'connections at once'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-sessions -x -d 'clients that are connected or kept'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l connect-timeout -x -d 'how long a connection may take to say CONNECT'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-connect-packet-size -x -d 'the largest CONNECT packet'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-retained -x -d 'retained messages'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-retained-bytes -x -d 'bytes of retained messages and of the levels of their topics'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-subscriptions -x -d 'subscriptions of one client'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-subscriptions-total -x -d 'subscriptions of all clients together'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-topic-levels -x -d 'levels of a topic or filter'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l max-topic-length -x -d 'bytes of a topic or filter'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -s v -l verbose -d 'lines on standard error for connections, refusals and subscriptions too'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l trace -x -d 'show the packets of the client with this id, and those about topics that match this filter, as mqspy does'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l sys-interval -x -d 'how often the topics $SYS/broker/..'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l metrics -x -d 'serve over HTTP: a status page at http://ADDR/, metrics for Prometheus at /metrics, and /healthz'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l metrics-public -d 'ADDR may be beyond this machine: whoever reaches it reads client ids and addresses there'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -s d -l debug -d 'a line on standard error for each packet'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l quiet -d 'no warnings on standard error, only errors'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l log-format -x -a 'text json' -d 'how lines on standard error look'
complete -c mqbroker -n 'not __mqbroker_behind passwd' -l color -x -a 'auto always never' -d 'colours on standard error and of topics on standard output'
complete -c mqbroker -n 'not __mqbroker_behind passwd; and contains -- "$(__mqbroker_context)" \'\'' -a 'passwd'

function __mqbroker_passwd_context
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
                case --iterations --password-file --password-env --password-cmd
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

complete -c mqbroker -n '__mqbroker_behind passwd' -l help -d 'show this help and exit'
complete -c mqbroker -n '__mqbroker_behind passwd' -l version -d 'show the version and exit'
complete -c mqbroker -n '__mqbroker_behind passwd' -l delete -d 'take the user away'
complete -c mqbroker -n '__mqbroker_behind passwd' -l scram-sha-256 -d 'write what clients need who log in by SCRAM-SHA-256, too: another line, of which mosquitto makes nothing'
complete -c mqbroker -n '__mqbroker_behind passwd' -l iterations -x -d 'how often the password is hashed'
complete -c mqbroker -n '__mqbroker_behind passwd' -l password-file -r -F -d 'the password is in this file, without the newline at its end'
complete -c mqbroker -n '__mqbroker_behind passwd' -l password-env -x -a '(set -xn)' -d 'the password is in this environment variable'
complete -c mqbroker -n '__mqbroker_behind passwd' -l password-cmd -x -d 'the password is what this command writes'
complete -c mqbroker -n '__mqbroker_behind passwd' -l password-prompt -d 'ask for the password on the terminal'
complete -c mqbroker -n '__mqbroker_behind passwd; and contains -- "$(__mqbroker_passwd_context)" \'\'' -F
