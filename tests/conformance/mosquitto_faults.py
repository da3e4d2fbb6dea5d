"""Where Debian's mosquitto 2.0.11 is known to be wrong: test (a pattern) -> what it does instead."""

FAULTS = {
    "test_connect.py::test_a_later_level_is_refused_with_0x84*": "answers with a CONNACK of 3.1.1",
    "test_connect.py::test_take_over[v5]": "closes without a DISCONNECT",
    "test_connect.py::test_take_over_by_another_version[5-311]": "closes without a DISCONNECT",
    "test_connect.py::test_take_over_keeps_the_session[v5]": "closes without a DISCONNECT",
    "test_connect_errors.py::test_refused[v5-data-without-method]": "takes no notice",
    "test_connect_errors.py::test_a_huge_connect_is_not_waited_for*": "waits for all of it",
}
