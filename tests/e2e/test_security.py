"""What somebody may try who is not to come in, or not to get that far: each cell names its tests, or says why there is none.

A test of Python is "suite::test", without "test_" before either; one of C++ is "Group.Name", as ctest names it."""

import pathlib
import re

import pytest

TESTS = pathlib.Path(__file__).parents[1]
INPUTS = ("right", "wrong", "expired", "tampered", "replayed", "empty", "huge", "no UTF-8")

ENDLESS = "-: it has no end; one that was changed is test mqbroker_reload::users_and_rules_change_and_nobody_is_cut_off"
BEARER = "-: whoever knows it may show it; that it is not overheard is TLS's part"
HANDSHAKE = "-: TLS proves each key anew in every handshake, which OpenSSL does; resumption: mqbroker_tls::a_ticket_brings_nobody_back_whose_ca_is_trusted_no_more"

# One for each of INPUTS.
AUTHENTICATORS = {
    "password file (PBKDF2, SHA-512)": (
        "mqbroker_passwords::the_right_password_gets_in_and_a_wrong_one_does_not", "mqbroker_passwords::what_is_shown_as_a_password_is_bytes",
        ENDLESS, "PasswordFile.ALineThatIsNoneIsAnErrorWithItsNumber", BEARER, "PasswordFile.WithoutUsersItLetsNobodyIn",
        "mqbroker_passwords::what_is_shown_as_a_password_is_bytes", "mqbroker_passwords::what_is_shown_as_a_password_is_bytes"),
    "SCRAM-SHA-256, -512": (
        "mqbroker_passwords::mqtt_js_proves_itself_by_scram", "PasswordUsers.ScramSha256ServesWhoHasAVerifierForIt", ENDLESS,
        "Scram.AClientFinalChangedAnywhereIsRefused", "mqbroker_passwords::what_was_overheard_of_another_login_is_of_no_use",
        "mqbroker_passwords::a_scram_login_ends_with_a_proof_or_not_at_all", "mqbroker_passwords::a_scram_login_begins_rightly_or_not_at_all",
        "mqbroker_passwords::a_scram_login_begins_rightly_or_not_at_all"),
    "JSON Web Tokens": (
        "Jwt.EachAlgorithmByItsKey", "Jwt.TimeAndClaims", "mqbroker_tokens::a_token_lets_in_whom_it_names", "Jwt.WhatIsTamperedWithIsRefused",
        "mqbroker_tokens::a_token_is_of_no_use_when_it_has_ended", "mqbroker_tokens::what_is_no_token_is_refused_whatever_it_is",
        "mqbroker_tokens::what_is_no_token_is_refused_whatever_it_is", "mqbroker_tokens::what_is_no_token_is_refused_whatever_it_is"),
    "keys for tokens (PEM, JWKS, secret)": (
        "mqbroker_tokens::public_keys_and_a_reload", "JwtKeys.FilesThatHoldNoneOrTooWeakOnesAreRefused", "-: they have no end but SIGHUP",
        "JwtKeys.FilesThatHoldNoneOrTooWeakOnesAreRefused", "mqbroker_tokens::public_keys_and_a_reload",
        "JwtKeys.FilesThatHoldNoneOrTooWeakOnesAreRefused", "mqbroker_tokens::files_that_are_too_much_or_no_text", "mqbroker_tokens::files_that_are_too_much_or_no_text"),
    "client certificates": (
        "mqbroker_tls::required_client_certificates", *["mqbroker_tls::a_certificate_that_is_not_good_lets_nobody_in"] * 3,
        "mqbroker_tls::a_ticket_brings_nobody_back_whose_ca_is_trusted_no_more", "CertificateUsersTest.ACertificateWithoutANameIsRefusedWhereOneIsRequired",
        "-: RFC 5280 ends a common name at 64 characters, and OpenSSL the handshake's size", "TlsTest.ACommonNameWithControlCharactersIsNone"),
    "pre-shared keys": (
        "mqbroker_psk::who_has_a_key_is_let_in_by_its_name", "mqbroker_psk::identities_that_nobody_has_get_no_connection",
        "-: they have no end but SIGHUP: mqbroker_psk::sighup_reads_the_keys_again", "mqbroker_psk::identities_that_nobody_has_get_no_connection", HANDSHAKE,
        "mqbroker_psk::identities_that_nobody_has_get_no_connection", "mqbroker_psk::identities_that_nobody_has_get_no_connection",
        "mqbroker_psk::identities_that_nobody_has_get_no_connection"),
    "credentials of a bridge": (
        "mqbroker_bridge::a_bridge_shows_its_password_and_its_certificate", "mqbroker_bridge::a_bridge_that_is_refused_tries_again_and_the_broker_goes_on",
        *["mqbroker_bridge::a_bridge_tells_its_password_to_nobody_but_the_server"] * 2, "mqbroker_bridge::nobody_else_is_a_bridge",
        *["mqbroker_options::what_a_bridge_needs_is_read_at_the_start"] * 3),
}

ATTACKS = {
    "alg none, in any spelling": "Jwt.NoneIsNoAlgorithm",
    "a public key as a secret": "Jwt.APublicKeyIsNoSecret mqbroker_tokens::public_keys_and_a_reload",
    "a token of another audience, issuer, client": "mqbroker_tokens::claims_that_options_ask_for Jwt.OnlyOfTheIssuerThatIsAskedFor",
    "SCRAM: a weaker hash, a binding that is taken back": "mqbroker_passwords::no_weaker_way_to_log_in_is_taken",
    "SCRAM: steps out of turn": "ScramServer.EachMessageHasItsTurn PasswordUsers.OtherMethodsAndStepsOutOfTurnAreRefused",
    "SCRAM: few iterations": "mqbroker_passwords::mosquittos_files_are_read ScramClient.RefusesWhatAServerMayNotSay",
    "is there such a user: by time": "PasswordFile.AnUnknownUserCostsWhatAWrongPasswordDoes",
    "is there such a user: by answers": "mqbroker_passwords::what_is_shown_as_a_password_is_bytes Scram.WrongPasswordAndUnknownUserAreRefusedAlike "
                                        "PasswordUsers.AnUnknownUserIsChallengedLikeAKnownOne",
    "guessing, one after the other and at once": "mqbroker_passwords::who_guesses_has_to_wait BrokerConnect.ExchangesThatBeganBeforeTheWaitDoNotGetAroundIt "
                                                 "BrokerLogin.GuessesThatBeginTogetherAreNoMoreThanOneAfterTheOther",
    "rules: wildcards in names": "mqbroker_access::names_with_wildcards_have_no_part_in_patterns AclFile.NamesThatAreNoLevelHaveNoPartInPatterns",
    "rules: wildcards in filters": "mqbroker_access::a_subscription_that_nothing_could_come_through_is_refused FilterRelation.IsWhatTheTopicsSay",
    "rules: $share and $SYS": "mqbroker_access::share_and_dollar_are_no_way_around",
    "rules: a will": "mqbroker_access::a_will_that_may_not_be_published_is_refused_with_its_connect mqbroker_reload::what_was_allowed_once_is_looked_at_again",
    "rules: a response topic": "mqbroker_access::a_response_topic_grants_nothing",
    "rules: a topic alias": "mqbroker_access::an_alias_is_no_way_around",
    "rules: retained messages": "mqbroker_access::retained_messages_are_shown_to_whom_they_may mqbroker_reload::what_was_allowed_once_is_looked_at_again",
    "rules: messages that wait in a session": "mqbroker_reload::what_was_allowed_once_is_looked_at_again",
    "rules: an empty file": "AclFile.AFileWithoutRulesForbidsEverything mqbroker_access::without_rules_nothing_is_allowed",
    "somebody else's session: the bridge's": "mqbroker_bridge::its_session_is_its_own_and_access_rules_are_for_others mqbroker_bridge::nobody_else_is_a_bridge",
    "files: lines that are none": "mqbroker_passwords::a_line_that_is_none_stops_the_broker_and_is_not_shown AclFile.LinesThatAreNoneAreNamedByTheirNumber "
                                  "mqbroker_psk::a_line_that_is_none_stops_the_broker_and_is_not_shown mqbroker_config::a_bad_file_is_2_and_one_line_with_its_line",
    "files: none, directories, devices without end": "mqbroker_passwords::files_that_are_none mqbroker_config::files_that_are_none",
    "files: names that mean something else": "Refusal.AFileMayBeCalledWhatSqliteHasAnotherMeaningFor",
    "files: users that would be two lines, or options": "mqbroker_passwords::passwd_refuses mqbroker_passwords::passwd_takes_a_user_for_no_option",
    "files: links, devices, owners": "mqbroker_passwords::passwd_leaves_links_and_owners_as_they_are mqbroker_passwords::passwd_refuses",
    "files: half of one at SIGHUP": "mqbroker_reload::a_broken_file_changes_nothing",
    "paths: of the pages": "mqbroker_pages::health_and_what_is_not_there",
    "the log: lines that a client makes up": "mqbroker_log::what_clients_say_cannot_forge_lines_or_move_the_cursor",
    "the page: scripts that a client makes up": "mqbroker_pages::the_page_is_whole_and_readable",
    "secrets in the log and in the list of processes": "mqbroker_log::no_secret_is_logged mqbroker_bridge::a_password_in_the_url_is_in_no_list_of_processes "
                                                       "mqbroker_trace::all_packets_of_a_client_without_its_secrets",
    "TLS: old versions": "mqbroker_tls::only_tls_1_2_and_1_3_are_spoken",
    "TLS: ciphers": "mqbroker_tls::ciphers_that_hide_nothing_or_prove_nothing_are_refused",
    "TLS: renegotiation and compression": "mqbroker_tls::a_client_may_not_renegotiate_or_compress",
    "TLS: a certificate without its key": "mqbroker_tls::somebody_elses_certificate_without_its_key_is_none",
    "listening beyond loopback by accident": "mqbroker_listening::beyond_loopback_needs_words "
                                             "mqbroker_listening::without_an_address_it_is_this_machine_by_ipv4_and_ipv6 "
                                             "mqbroker_listening::an_inherited_socket_beyond_loopback_needs_words",
}

CELLS = {f"{name}, {kind}": cell for name, cells in AUTHENTICATORS.items() for kind, cell in zip(INPUTS, cells, strict=True)} | ATTACKS


@pytest.fixture(scope="module")
def known():
    """The names of all tests, as CELLS has them."""
    names = set()
    for file in (TESTS / "e2e").glob("test_*.py"):
        suite = file.stem.removeprefix("test_")
        names |= {f"{suite}::{name}" for name in re.findall(r"(?m)^def test_(\w+)\(", file.read_text())}
    for file in (TESTS / "unit").glob("*/*.cpp"):
        names |= {".".join(found) for found in re.findall(r"(?m)^TEST(?:_F|_P)?\((\w+), (\w+)\)", file.read_text())}
    return names


@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_has_its_test(known, cell):
    named = re.findall(r"\w+::\w+|\b[A-Z]\w+\.[A-Z]\w+", CELLS[cell])
    assert named or CELLS[cell].startswith("-: "), f"{cell}: neither a test nor a reason"
    assert set(named) <= known, f"{cell}: there is no test {', '.join(set(named) - known)}"
