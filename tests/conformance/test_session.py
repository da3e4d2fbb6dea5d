from covers import covers

def test_hello(connected, topic, any_version):
    c = connected(any_version)
    c.subscribe(topic, qos=2)
    for q in range(3):
        c.publish(topic, b"x", q)
    assert [m.qos for m in c.messages(3)] == [0, 1, 2]
    c.leave()
