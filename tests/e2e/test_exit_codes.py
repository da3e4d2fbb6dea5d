"""Which test shows that a program ends with each exit code that it can end with."""

import ast
import pathlib

import pytest

ALL = ("mqpub", "mqsub", "mqreq")
# {exit code: {programs: test}}. 1 is a fault of our own; 13 is for what only mqsub and mqspy can be asked to expect.
SHOWN = {
    0: {("mqpub",): "options.test_message", ("mqsub",): "options.test_count_stops_exactly",
        ("mqreq",): "mqreq.test_several_responders", ("mqspy",): "mqspy_read.test_the_line"},
    2: {(*ALL, "mqspy"): "option_values.test_a_wrong_value_is_2_and_one_line_that_names_it_or_its_option"},
    3: {ALL: "failures.test_unknown_host_is_3"},
    4: {ALL: "failures.test_trap_04_trap_29_refused_port_is_4_and_says_where", ("mqspy",): "mqspy_proxy.test_a_port_in_use_is_one_line"},
    5: {ALL: "failures.test_bad_certificate_is_5_and_names_the_cause"},
    6: {ALL: "failures.test_bad_credentials_are_6"},
    7: {ALL: "failures.test_trap_09_silent_server_is_7_at_the_connect_timeout"},
    8: {ALL: "failures.test_server_disconnect_is_8_with_its_reason"},
    9: {("mqpub",): "mqpub_streams.test_a_deadline_interrupts_reading",
        ("mqsub",): "options.test_trap_10_deadline_with_an_unmet_goal_is_9", ("mqreq",): "mqreq.test_nobody_answers"},
    10: {("mqpub",): "failures.test_trap_01_rejected_publish_is_10_with_name_and_reason_string",
         ("mqsub",): "mqsub_selection.test_a_refused_removal_is_10", ("mqreq",): "mqreq.test_a_rejected_request_is_10"},
    11: {("mqsub",): "failures.test_trap_05_refused_subscription_is_11_and_names_the_filter",
         ("mqreq",): "mqreq.test_a_refused_subscription_is_11_and_nothing_is_asked"},
    12: {ALL: "failures.test_malformed_packet_is_12_and_names_the_clause",
         ("mqspy",): "mqspy_decode.test_a_broken_packet_shows_its_fields_the_fault_and_the_rest"},
    13: {("mqsub",): "mqsub_endings.test_expect_is_13_at_the_deadline",
         ("mqspy",): "mqspy_read.test_expect_is_13_if_something_has_not_come"},
    14: {("mqpub",): "options.test_trap_26_missing_files_are_errors",
         ("mqsub",): "failures.test_trap_14_full_stdout_is_14_and_nothing_is_acknowledged",
         ("mqreq",): "mqreq.test_trap_14_a_reply_that_cannot_be_written_is_14_and_stays_unacknowledged",
         ("mqspy",): "mqspy_read.test_what_is_no_capture_is_said"},
    130: {ALL: "endings.test_a_second_signal_ends_it_at_once"},
    143: {ALL: "endings.test_a_server_that_does_not_hang_up_is_not_waited_for_long"},
}


@pytest.mark.parametrize("code", SHOWN)
def test_an_exit_code_has_its_tests(code):
    for programs, name in SHOWN[code].items():
        suite, function = name.split(".")
        tree = ast.parse((pathlib.Path(__file__).parent / f"test_{suite}.py").read_text())
        found = next((node for node in tree.body if getattr(node, "name", "") == function), None)
        assert found, f"{name} is gone"
        if len(programs) > 1:
            assert "tool" in [argument.arg for argument in found.args.args], f"{name} is not of all of them"
