"""AUTH: enhanced authentication (4.12), by SCRAM, whose other side stands in support/scram.py."""

import pytest

import wire
from client import unique
from covers import covers
from support.proc import run
from support.scram import ScramClient
from support.tools import assert_ok, program
from wire import AUTH, CONNACK, V5, P

METHOD = "SCRAM-SHA-256"
CONTINUE, AGAIN = 0x18, 0x19


@pytest.fixture(scope="module")
def guarded(brokers, temporary_directory):
    """A broker that lets in joe, whose password is "pencil"."""
    file = temporary_directory / "users"
    assert_ok(run([program("mqbroker"), "passwd", "--scram-sha-256", str(file), "joe", "--password-env", "WORD"],
                  env={"WORD": "pencil"}))
    return brokers(password_file=file, max_login_delay="0")


def data(method, value):
    return {P.AUTH_METHOD: method, P.AUTH_DATA: value}


class Login:
    """A client and its side of SCRAM."""

    def __init__(self, client, user="joe", password="pencil", method=METHOD):
        self.client, self.method = client, method
        self.scram = ScramClient(method, user, password)

    def connect(self, **props):
        props = {**data(self.method, self.scram.first()), **{getattr(P, name): value for name, value in props.items()}}
        self.client.observer.on_connect(props)
        self.client.send(wire.connect(V5, unique(), props=props))

    def begin(self, **props):
        """CONNECT; gives the server's first answer."""
        self.connect(**props)
        return self.client.next()

    def begin_again(self, user="joe", password="pencil"):
        self.scram = ScramClient(self.method, user, password)
        self.client.send(wire.auth(AGAIN, data(self.method, self.scram.first())))
        return self.client.next()

    def go_on(self, challenge):
        """Answers it; gives what the server says then."""
        assert challenge.kind == AUTH and challenge.code == CONTINUE, challenge
        self.client.send(wire.auth(CONTINUE, data(self.method, self.scram.final(challenge.prop(P.AUTH_DATA)))))
        return self.client.next()

    def enter(self):
        """All of it; gives CONNACK."""
        connack = self.go_on(self.begin())
        assert connack.kind == CONNACK and connack.code == 0, connack
        self.scram.check(connack.prop(P.AUTH_DATA))
        return connack


@pytest.fixture
def login(guarded, opened):
    return lambda *args, **how: Login(opened(V5, on=guarded), *args, **how)


@covers(v5="MQTT-4.12.0-2 MQTT-4.12.0-5 MQTT-3.15.2-1")
@pytest.mark.parametrize("method", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_login_of_two_steps(login, topic, method):
    joe = login(method=method)
    challenge = joe.begin()
    assert challenge.kind == AUTH and challenge.code == CONTINUE and challenge.prop(P.AUTH_METHOD) == method
    connack = joe.go_on(challenge)
    assert connack.kind == CONNACK and connack.code == 0 and connack.prop(P.AUTH_METHOD) == method
    joe.scram.check(connack.prop(P.AUTH_DATA))
    joe.client.publish(topic, b"x", 1)


@covers(v5="MQTT-4.12.0-4")
@pytest.mark.parametrize("user, password", [("joe", "Pencil"), ("jane", "pencil")], ids=["password", "user"])
def test_a_wrong_password_and_an_unknown_user_look_the_same(login, user, password):
    joe = login(user, password)
    challenge = joe.begin()
    assert len(challenge.prop(P.AUTH_DATA)) == len(login().begin().prop(P.AUTH_DATA))
    refusal = joe.go_on(challenge)
    assert refusal.kind == CONNACK and refusal.code == 0x87, refusal
    assert joe.client.end() == []


@covers(v5="MQTT-4.12.0-1 MQTT-4.12.0-4")
@pytest.mark.parametrize("method", ["SCRAM-SHA-1", "SCRAM-SHA-256-PLUS", "scram-sha-256"])
def test_other_methods_are_refused(guarded, opened, method):
    client = opened(V5, on=guarded)
    client.connect(code=0x8C, props=data(method, b"n,,n=joe,r=x"))
    assert client.end() == []


@covers(v5="MQTT-4.12.0-4")
@pytest.mark.parametrize("first", [b"", b"n,,", b"n,a=root,n=joe,r=x", b"p=tls-unique,,n=joe,r=x", b"n,,m=x,n=joe,r=x", b"n,,n=j=oe,r=x",
                                   b"n,,n=\xff,r=x", b"n,,n=joe,r=", b"n,,n=joe,r=x,y", b"c=biws,r=x,p=AAAA", b"\0" * 60_000])
def test_a_first_message_that_is_none_is_refused(guarded, opened, first):
    client = opened(V5, on=guarded)
    client.connect(code=0x87, props=data(METHOD, first))
    assert client.end() == []


@covers(v5="MQTT-4.12.0-4")
@pytest.mark.parametrize("last", [
    lambda proof: b"", lambda proof: proof[:-1], lambda proof: proof.replace(b"c=biws", b"c=eSws"), lambda proof: proof + b",x=y",
    lambda proof: proof.split(b",p=")[0], lambda proof: proof.replace(b"r=", b"r=x"), lambda proof: b"n,,n=joe,r=x",
    lambda proof: proof.split(b",p=")[0] + b",p=AAAA"],
    ids=["empty", "cut", "binding", "behind", "without-proof", "nonce", "first", "short-proof"])
def test_a_last_message_that_is_wrong_is_refused(login, last):
    joe = login()
    proof = joe.scram.final(joe.begin().prop(P.AUTH_DATA))
    joe.client.send(wire.auth(CONTINUE, data(METHOD, last(proof))))
    assert joe.client.expect(CONNACK).code == 0x87
    assert joe.client.end() == []


@covers(v5="MQTT-4.12.0-4")
def test_a_proof_that_was_overheard_is_worth_nothing(login):
    overheard = {}
    for attempt in (login(), login()):
        challenge = attempt.begin()
        proof = overheard.setdefault("proof", attempt.scram.final(challenge.prop(P.AUTH_DATA)))
        attempt.client.send(wire.auth(CONTINUE, data(METHOD, proof)))
        answer = attempt.client.expect(CONNACK)
    assert answer.code == 0x87 and attempt.client.end() == []


@covers(v5="v5#3.15/auth-foreign MQTT-4.12.0-5")
@pytest.mark.parametrize("when", ["before", "after"])
def test_auth_by_another_method_than_connects_ends_the_connection(login, when):
    joe = login()
    if when == "before":
        joe.begin()
        joe.client.send(wire.auth(CONTINUE, data("SCRAM-SHA-512", b"x")))
        assert joe.client.expect(CONNACK).code == 0x82
        assert joe.client.end() == []
    else:
        joe.enter()
        joe.client.send(wire.auth(AGAIN, data("SCRAM-SHA-512", b"x")))
        joe.client.refused(0x82)


@covers(v5="MQTT-3.1.2-30 MQTT-4.12.0-3")
@pytest.mark.parametrize("packet", [wire.PING, wire.publish(V5, "t"), wire.connect(V5, "again"), wire.auth(AGAIN, data(METHOD, b"x"))],
                         ids=["ping", "publish", "connect", "again"])
def test_before_connack_there_is_only_auth_that_continues(login, packet):
    joe = login()
    joe.begin()
    joe.client.send(packet)
    assert joe.client.expect(CONNACK).code == 0x82
    assert joe.client.end() == []


@covers(v5="MQTT-4.12.1-1 MQTT-4.12.1-2 MQTT-4.12.0-5")
def test_a_client_shows_again_who_it_is(login, topic):
    joe = login()
    joe.enter()
    joe.client.subscribe(topic, qos=1)
    challenge = joe.begin_again()
    assert joe.client.publish(topic, b"meanwhile", 1).code == 0, "the connection goes on as it was (4.12.1)"
    assert joe.client.message().payload == b"meanwhile"
    done = joe.go_on(challenge)
    assert done.kind == AUTH and done.code == 0 and done.prop(P.AUTH_METHOD) == METHOD
    joe.scram.check(done.prop(P.AUTH_DATA))
    joe.client.publish(topic, b"x", 1)
    assert joe.client.message().payload == b"x"


@covers(v5="MQTT-4.12.1-2 MQTT-4.12.0-4")
def test_who_fails_to_show_it_again_is_cut_off(login):
    joe = login()
    joe.enter()
    challenge = joe.begin_again(password="Pencil")
    joe.client.send(wire.auth(CONTINUE, data(METHOD, joe.scram.final(challenge.prop(P.AUTH_DATA)))))
    joe.client.refused(0x87, certainly=True)


@covers(v5="MQTT-3.15.2-2 MQTT-3.15.2-3 MQTT-3.1.2-24")
def test_auth_is_never_larger_than_the_client_takes(login):
    size = login().begin().size
    challenge = login().begin(MAXIMUM_PACKET_SIZE=size)
    assert challenge.kind == AUTH and challenge.size == size
    narrow = login()
    narrow.connect(MAXIMUM_PACKET_SIZE=size - 1)
    assert [packet for packet in narrow.client.end() if packet.kind == AUTH] == []
