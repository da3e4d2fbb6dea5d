# Completion of mqspy in fish, made by mqspy --print-docs=fish.

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

function __mqspy_behind
    set -l words (commandline -opc)
    contains -- "$words[2]" $argv
end

complete -c mqspy -f

function __mqspy_context
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
                case --listen --ready-fd --to --connect-timeout --cafile --capath --to-cert --to-key --sni --cert --key --ca-out --fault --seed --conn --speed --answer-timeout --password-file --password-env --password-cmd --filter --stop-on --expect -V --protocol-version -i --interface --from -s --snippet -t --time -w --write --pcap-style --log-format --color
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

function __mqspy_is_for
    set -l words (string split ' ' -- (__mqspy_context))
    test -z "$words[1]"; or string match -q -- '-*' $words[1]; or contains -- $words[1] $argv
end

complete -c mqspy -l help -d 'show this help and exit'
complete -c mqspy -l version -d 'show the version and exit'
complete -c mqspy -n '__mqspy_is_for proxy' -l listen -x -d 'proxy: where clients connect to: ADDRESS:PORT, mqtts://, ws://, wss:// or unix://'
complete -c mqspy -n '__mqspy_is_for proxy' -l print-address -d 'write a URL per address to standard output once all listen'
complete -c mqspy -n '__mqspy_is_for proxy' -l ready-fd -x -d 'write a newline to this descriptor once all listen, and close it'
complete -c mqspy -n '__mqspy_is_for proxy replay' -l to -x -d 'the server: mqtt://, mqtts://, ws://, wss:// or unix://'
complete -c mqspy -n '__mqspy_is_for proxy replay' -l connect-timeout -x -d 'how long connecting to the server and all handshakes may take'
complete -c mqspy -n '__mqspy_is_for proxy replay' -l cafile -r -F -d 'CA certificates for the server\'s'
complete -c mqspy -n '__mqspy_is_for proxy replay' -l capath -x -a '(__fish_complete_directories)' -d 'directory of CA certificates for the server\'s'
complete -c mqspy -n '__mqspy_is_for proxy replay' -l insecure -d 'do not verify the server\'s certificate'
complete -c mqspy -n '__mqspy_is_for proxy replay' -l to-cert -r -F -d 'the certificate that the server sees, with its chain'
complete -c mqspy -n '__mqspy_is_for proxy replay' -l to-key -r -F -d 'its key'
complete -c mqspy -n '__mqspy_is_for proxy replay' -l sni -x -d 'the server\'s name in its certificate'
complete -c mqspy -n '__mqspy_is_for proxy' -l cert -r -F -d 'the certificate that clients see, with its chain'
complete -c mqspy -n '__mqspy_is_for proxy' -l key -r -F -d 'its key'
complete -c mqspy -n '__mqspy_is_for proxy' -l ca-out -r -F -d 'write the throw-away CA\'s certificate here, for clients to trust'
complete -c mqspy -n '__mqspy_is_for proxy' -l fault -x -d 'disturb what a selector chooses: \'SELECTOR [nth=3|every=5|from=2 count=1|p=0.1] do ACTION\''
complete -c mqspy -n '__mqspy_is_for proxy' -l seed -x -d 'of what is random in faults: the same seed gives the same faults'
complete -c mqspy -n '__mqspy_is_for replay' -l conn -x -d 'the connection, as the lines of read name it: c3'
complete -c mqspy -n '__mqspy_is_for replay' -l speed -x -d 'so many times as fast as it was recorded'
complete -c mqspy -n '__mqspy_is_for replay' -l answer-timeout -x -d 'how long an answer that was recorded is waited for'
complete -c mqspy -n '__mqspy_is_for replay' -l password-file -r -F -d 'the password is in this file, without the newline at its end'
complete -c mqspy -n '__mqspy_is_for replay' -l password-env -x -a '(set -xn)' -d 'the password is in this environment variable'
complete -c mqspy -n '__mqspy_is_for replay' -l password-cmd -x -d 'the password is what this command writes'
complete -c mqspy -n '__mqspy_is_for replay' -l password-prompt -d 'ask for the password on the terminal'
complete -c mqspy -n '__mqspy_is_for proxy read capture lint replay' -l filter -x -d 'show only what it chooses: \'type==PUBLISH && topic matches "plant/+/temp" && qos>0\''
complete -c mqspy -n '__mqspy_is_for proxy read capture lint' -l stop-on -x -d 'end once it has chosen something'
complete -c mqspy -n '__mqspy_is_for proxy read capture lint' -l expect -x -d '\'SELECTOR [within 500ms]\': end with 0 once all of these have come, with 13 if one has not'
complete -c mqspy -n '__mqspy_is_for decode' -s V -l protocol-version -x -a '5 311 31' -d 'decode: of packets without a CONNECT before them'
complete -c mqspy -n '__mqspy_is_for capture' -s i -l interface -x -a 'any (__mq_interfaces)' -d 'capture: the network interface, or any'
complete -c mqspy -n '__mqspy_is_for explain' -l coverage -d 'explain: which clauses lint judges, and why not the others'
complete -c mqspy -n '__mqspy_is_for decode' -l from -x -a 'client server' -d 'decode: who sent the packets'
complete -c mqspy -n '__mqspy_is_for proxy read capture lint replay decode' -l json -d 'a JSON object per record'
complete -c mqspy -n '__mqspy_is_for proxy read capture lint replay decode' -l raw -d 'with the bytes of each packet, so that it can be read again'
complete -c mqspy -n '__mqspy_is_for proxy read capture lint replay decode' -s v -l verbose -d 'each field of a packet with its place'
complete -c mqspy -n '__mqspy_is_for proxy read capture lint replay decode' -s q -l no-acks -d 'no pings, and no acknowledgements that say nothing but success'
complete -c mqspy -n '__mqspy_is_for proxy read capture lint replay decode' -s s -l snippet -x -d 'bytes of a payload that are shown'
complete -c mqspy -n '__mqspy_is_for proxy read capture lint replay decode' -l show-secrets -d 'passwords and authentication data as they are'
complete -c mqspy -n '__mqspy_is_for proxy read capture lint replay' -s t -l time -x -a 'clock relative delta epoch' -d 'the time of day in UTC, seconds since the first line, since the line before, or since 1970'
complete -c mqspy -n '__mqspy_is_for proxy read capture lint replay' -l group -d 'one line for a request and its answers, once they are over'
complete -c mqspy -n '__mqspy_is_for proxy read capture lint replay' -l ladder -d 'a sequence diagram, of all or of one client: its id, its address, or the connection\'s name'
complete -c mqspy -n '__mqspy_is_for proxy read capture lint replay' -l mermaid -d 'the diagram for Mermaid'
complete -c mqspy -n '__mqspy_is_for proxy read capture lint replay' -l stats -d 'only how much there was in all: packets, latencies, topics, findings, ends'
complete -c mqspy -n '__mqspy_is_for proxy read capture lint replay' -s w -l write -r -F -d 'write a pcapng file, too'
complete -c mqspy -n '__mqspy_is_for proxy read capture lint replay' -l pcap-style -x -a 'pdu tcp' -d 'packets of MQTT alone, as Wireshark exports them, or with TCP/IP made for them'
complete -c mqspy -s d -l debug -d 'a line on standard error for each packet'
complete -c mqspy -l quiet -d 'no warnings on standard error, only errors'
complete -c mqspy -l log-format -x -a 'text json' -d 'how lines on standard error look'
complete -c mqspy -l color -x -a 'auto always never' -d 'colours on standard error and of topics on standard output'
complete -c mqspy -n 'contains -- "$(__mqspy_context)" \'\'' -a 'proxy read capture lint replay decode explain'
complete -c mqspy -n 'contains -- "$(__mqspy_context)" \'explain\'' -a '0x00 0x01 0x02 0x04 0x10 0x11 0x18 0x19 0x80 0x81 0x82 0x83 0x84 0x85 0x86 0x87 0x88 0x89 0x8a 0x8b 0x8c 0x8d 0x8e 0x8f 0x90 0x91 0x92 0x93 0x94 0x95 0x96 0x97 0x98 0x99 0x9a 0x9b 0x9c 0x9d 0x9e 0x9f 0xa0 0xa1 0xa2 AUTH Banned CONNACK CONNECT DISCONNECT MQTT-1.5.3-1 MQTT-1.5.3-2 MQTT-1.5.3-3 MQTT-1.5.4-1 MQTT-1.5.4-2 MQTT-1.5.4-3 MQTT-1.5.5-1 MQTT-1.5.7-1 MQTT-2.1.3-1 MQTT-2.2.1-2 MQTT-2.2.1-3 MQTT-2.2.1-4 MQTT-2.2.1-5 MQTT-2.2.1-6 MQTT-2.2.2-1 MQTT-2.2.2-2 MQTT-2.3.1-1 MQTT-2.3.1-2 MQTT-2.3.1-3 MQTT-2.3.1-4 MQTT-2.3.1-5 MQTT-2.3.1-6 MQTT-2.3.1-7 MQTT-3.1.0-1 MQTT-3.1.0-2 MQTT-3.1.2-1 MQTT-3.1.2-10 MQTT-3.1.2-11 MQTT-3.1.2-12 MQTT-3.1.2-13 MQTT-3.1.2-14 MQTT-3.1.2-15 MQTT-3.1.2-16 MQTT-3.1.2-17 MQTT-3.1.2-18 MQTT-3.1.2-19 MQTT-3.1.2-2 MQTT-3.1.2-20 MQTT-3.1.2-21 MQTT-3.1.2-22 MQTT-3.1.2-23 MQTT-3.1.2-24 MQTT-3.1.2-25 MQTT-3.1.2-26 MQTT-3.1.2-27 MQTT-3.1.2-28 MQTT-3.1.2-29 MQTT-3.1.2-3 MQTT-3.1.2-30 MQTT-3.1.2-4 MQTT-3.1.2-5 MQTT-3.1.2-6 MQTT-3.1.2-7 MQTT-3.1.2-8 MQTT-3.1.2-9 MQTT-3.1.3-1 MQTT-3.1.3-10 MQTT-3.1.3-11 MQTT-3.1.3-12 MQTT-3.1.3-3 MQTT-3.1.3-4 MQTT-3.1.3-5 MQTT-3.1.3-6 MQTT-3.1.3-7 MQTT-3.1.3-8 MQTT-3.1.3-9 MQTT-3.1.4-1 MQTT-3.1.4-2 MQTT-3.1.4-3 MQTT-3.1.4-4 MQTT-3.1.4-5 MQTT-3.1.4-6 MQTT-3.10.1-1 MQTT-3.10.3-1 MQTT-3.10.3-2 MQTT-3.10.4-1 MQTT-3.10.4-2 MQTT-3.10.4-3 MQTT-3.10.4-4 MQTT-3.10.4-5 MQTT-3.10.4-6 MQTT-3.11.2-1 MQTT-3.11.2-2 MQTT-3.11.3-1 MQTT-3.11.3-2 MQTT-3.12.4-1 MQTT-3.14.0-1 MQTT-3.14.1-1 MQTT-3.14.2-1 MQTT-3.14.2-2 MQTT-3.14.2-3 MQTT-3.14.2-4 MQTT-3.14.4-1 MQTT-3.14.4-2 MQTT-3.14.4-3 MQTT-3.15.1-1 MQTT-3.15.2-1 MQTT-3.15.2-2 MQTT-3.15.2-3 MQTT-3.2.0-1 MQTT-3.2.0-2 MQTT-3.2.2-1 MQTT-3.2.2-10 MQTT-3.2.2-11 MQTT-3.2.2-12 MQTT-3.2.2-13 MQTT-3.2.2-14 MQTT-3.2.2-15 MQTT-3.2.2-16 MQTT-3.2.2-17 MQTT-3.2.2-18 MQTT-3.2.2-19 MQTT-3.2.2-2 MQTT-3.2.2-20 MQTT-3.2.2-21 MQTT-3.2.2-22 MQTT-3.2.2-3 MQTT-3.2.2-4 MQTT-3.2.2-5 MQTT-3.2.2-6 MQTT-3.2.2-7 MQTT-3.2.2-8 MQTT-3.2.2-9 MQTT-3.3.1-1 MQTT-3.3.1-10 MQTT-3.3.1-11 MQTT-3.3.1-12 MQTT-3.3.1-13 MQTT-3.3.1-2 MQTT-3.3.1-3 MQTT-3.3.1-4 MQTT-3.3.1-5 MQTT-3.3.1-6 MQTT-3.3.1-7 MQTT-3.3.1-8 MQTT-3.3.1-9 MQTT-3.3.2-1 MQTT-3.3.2-10 MQTT-3.3.2-11 MQTT-3.3.2-12 MQTT-3.3.2-13 MQTT-3.3.2-14 MQTT-3.3.2-15 MQTT-3.3.2-16 MQTT-3.3.2-17 MQTT-3.3.2-18 MQTT-3.3.2-19 MQTT-3.3.2-2 MQTT-3.3.2-20 MQTT-3.3.2-3 MQTT-3.3.2-4 MQTT-3.3.2-5 MQTT-3.3.2-6 MQTT-3.3.2-7 MQTT-3.3.2-8 MQTT-3.3.2-9 MQTT-3.3.4-1 MQTT-3.3.4-10 MQTT-3.3.4-2 MQTT-3.3.4-3 MQTT-3.3.4-4 MQTT-3.3.4-5 MQTT-3.3.4-6 MQTT-3.3.4-7 MQTT-3.3.4-8 MQTT-3.3.4-9 MQTT-3.3.5-1 MQTT-3.3.5-2 MQTT-3.4.2-1 MQTT-3.4.2-2 MQTT-3.4.2-3 MQTT-3.5.2-1 MQTT-3.5.2-2 MQTT-3.5.2-3 MQTT-3.6.1-1 MQTT-3.6.2-1 MQTT-3.6.2-2 MQTT-3.6.2-3 MQTT-3.7.2-1 MQTT-3.7.2-2 MQTT-3.7.2-3 MQTT-3.8.1-1 MQTT-3.8.3-1 MQTT-3.8.3-2 MQTT-3.8.3-3 MQTT-3.8.3-4 MQTT-3.8.3-5 MQTT-3.8.4-1 MQTT-3.8.4-2 MQTT-3.8.4-3 MQTT-3.8.4-4 MQTT-3.8.4-5 MQTT-3.8.4-6 MQTT-3.8.4-7 MQTT-3.8.4-8 MQTT-3.9.2-1 MQTT-3.9.2-2 MQTT-3.9.3-1 MQTT-3.9.3-2 MQTT-4.1.0-1 MQTT-4.1.0-2 MQTT-4.12.0-1 MQTT-4.12.0-2 MQTT-4.12.0-3 MQTT-4.12.0-4 MQTT-4.12.0-5 MQTT-4.12.0-6 MQTT-4.12.0-7 MQTT-4.12.1-1 MQTT-4.12.1-2 MQTT-4.13.1-1 MQTT-4.13.2-1 MQTT-4.3.1-1 MQTT-4.3.2-1 MQTT-4.3.2-2 MQTT-4.3.2-3 MQTT-4.3.2-4 MQTT-4.3.2-5 MQTT-4.3.3-1 MQTT-4.3.3-10 MQTT-4.3.3-11 MQTT-4.3.3-12 MQTT-4.3.3-13 MQTT-4.3.3-2 MQTT-4.3.3-3 MQTT-4.3.3-4 MQTT-4.3.3-5 MQTT-4.3.3-6 MQTT-4.3.3-7 MQTT-4.3.3-8 MQTT-4.3.3-9 MQTT-4.4.0-1 MQTT-4.4.0-2 MQTT-4.5.0-1 MQTT-4.5.0-2 MQTT-4.6.0-1 MQTT-4.6.0-2 MQTT-4.6.0-3 MQTT-4.6.0-4 MQTT-4.6.0-5 MQTT-4.6.0-6 MQTT-4.7.0-1 MQTT-4.7.1-1 MQTT-4.7.1-2 MQTT-4.7.1-3 MQTT-4.7.2-1 MQTT-4.7.3-1 MQTT-4.7.3-2 MQTT-4.7.3-4 MQTT-4.8.0-1 MQTT-4.8.2-1 MQTT-4.8.2-2 MQTT-4.8.2-3 MQTT-4.8.2-4 MQTT-4.8.2-5 MQTT-4.8.2-6 MQTT-4.9.0-1 MQTT-4.9.0-2 MQTT-4.9.0-3 MQTT-6.0.0-1 MQTT-6.0.0-2 MQTT-6.0.0-3 MQTT-6.0.0-4 PINGREQ PINGRESP PUBACK PUBCOMP PUBLISH PUBREC PUBREL Re-authenticate SUBACK SUBSCRIBE Success UNSUBACK UNSUBSCRIBE administrative-action assigned-client-identifier authentication-data authentication-method bad-authentication-method bad-user-name-or-password client-identifier-not-valid connection-rate-exceeded content-type continue-authentication correlation-data disconnect-with-will-message granted-qos-0 granted-qos-1 granted-qos-2 implementation-specific-error keep-alive-timeout malformed-packet maximum-connect-time maximum-packet-size maximum-qos message-expiry-interval message-rate-too-high no-matching-subscribers no-subscription-existed normal-disconnection not-authorized packet-identifier-in-use packet-identifier-not-found packet-too-large payload-format-indicator payload-format-invalid protocol-error qos-not-supported quota-exceeded reason-string receive-maximum receive-maximum-exceeded request-problem-information request-response-information response-information response-topic retain-available retain-not-supported server-busy server-keep-alive server-moved server-reference server-shutting-down server-unavailable session-expiry-interval session-taken-over shared-subscription-available shared-subscriptions-not-supported subscription-identifier subscription-identifier-available subscription-identifiers-not-supported topic-alias topic-alias-invalid topic-alias-maximum topic-filter-invalid topic-name-invalid unspecified-error unsupported-protocol-version use-another-server user-property v311#2.2.1/direction v311#2.2.1/type-0 v311#2.2.3/rl-4-bytes v311#2.2.3/rl-minimal v311#3.12-3.14/rl-0 v311#3.14/server-disconnect v311#3.2.0/connack-repeat v311#3.2.2.1/ack-flags v311#3.4-3.11/rl-2 v5#1.5.4/disallowed v5#1.5.5/rl-4-bytes v5#2.1.2/direction v5#2.1.2/type-0 v5#2.1.4/rl-fit v5#2.2.2.2/prop-length v5#2.2.2.2/prop-packet v5#2.2.2.2/prop-unknown v5#3.1.2.10/pingresp-wait v5#3.1.2.11.10/auth-data v5#3.1.2.11.2/sei-dup v5#3.1.2.11.3/rm v5#3.1.2.11.4/mps v5#3.1.2.11.5/tam-dup v5#3.1.2.11.6/rri v5#3.1.2.11.7/rpi v5#3.1.2.11.9/auth-method-dup v5#3.1.3.2.2/will-prop-dup v5#3.1.3.2.3/will-pfi v5#3.12/empty v5#3.13/unsolicited v5#3.14.2.2.2/sei-raise v5#3.14.2.2.5/ref-dup v5#3.15.2.2.2/method v5#3.15.2.2.3/data-dup v5#3.15/auth-foreign v5#3.2.2.3.11-13/feature-bits v5#3.2.2.3.11/wildcard-use v5#3.2.2.3.12/subid-use v5#3.2.2.3.13/shared-use v5#3.2.2.3.14/ska-dup v5#3.2.2.3.15/resp-info-dup v5#3.2.2.3.16/server-ref v5#3.2.2.3.4/max-qos v5#3.2.2.3.5/retain-avail v5#3.2.2.3.7/assigned-dup v5#3.2.2.3.9/reason-dup v5#3.3.2.1/empty-topic v5#3.3.2.3.2-3/pfi-expiry-dup v5#3.3.2.3.2/pfi-utf8 v5#3.3.2.3.2/pfi-value v5#3.3.2.3.4/alias-dup v5#3.3.2.3.5-9/dup v5#3.3.2.3.8/subid-zero v5#3.3.4/alias-unset v5#3.3.4/foreign-subid v5#3.7.2/not-found v5#3.8.2.1.2/subid-dup v5#3.8.3.1/qos-3 v5#3.8.3.1/rh-3 v5#3.8.4/shared-retained v5#4.10/responder v5#4.3.3/pubrel-after-error wildcard-subscription-available wildcard-subscriptions-not-supported will-delay-interval'
complete -c mqspy -n 'contains -- "$(__mqspy_context)" \'read\'' -F
complete -c mqspy -n 'contains -- "$(__mqspy_context)" \'lint\'' -F
complete -c mqspy -n 'contains -- "$(__mqspy_context)" \'replay\'' -F
