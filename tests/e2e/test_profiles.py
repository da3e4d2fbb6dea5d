"""Options from files: profiles, options files, and --show-config, with real programs and a real broker."""

import pytest

from support.mqbroker import MqBroker
from support.ports import HOST
from support.tools import assert_fails, assert_ok, mqpub, mqsub, start, unique


@pytest.fixture(scope="module")
def broker(certs):
    with MqBroker(certs, ("tcp",), ["-v"]) as broker:
        yield broker


@pytest.fixture
def config(tmp_path):
    (tmp_path / "mq").mkdir()
    return tmp_path


def env(config):
    return {"XDG_CONFIG_HOME": str(config)}


def test_an_options_file_of_mosquitto_works(broker, config):
    topic = unique("f")
    (config / "mosquitto_sub").write_text(f"# where\n-h {HOST}\n-p {broker['tcp'].port}\n-t {topic}\n-C 1\n-v\n")
    (config / "mosquitto_pub").write_text(f"-h {HOST}\n-p {broker['tcp'].port}\n-m two words\n-q 1\n")
    subscriber = start("mqsub", "-W", "10", env=env(config))
    broker.wait_subscribed(topic)
    assert_ok(mqpub("-t", topic, env=env(config)))
    assert assert_ok(subscriber.wait()).out == f"{topic} two words\n".encode()


def test_a_profile_is_for_every_program_and_its_tables_for_one(broker, config):
    topic = unique("f")
    (config / "mq" / "work.toml").write_text(
        f'host = "{HOST}"\nport = {broker["tcp"].port}\n'
        f'[mqsub]\ntopic = ["{topic}/+"]\nverbose = true\nC = 1\nW = 10\n'
        f'[mqpub]\nqos = 1\nproperty = ["publish user-property k a value"]\n')
    subscriber = start("mqsub", "--profile", "work", "--json", env=env(config))
    broker.wait_subscribed(f"{topic}/+")
    assert_ok(mqpub("--profile", "work", "-t", f"{topic}/a", "-m", "x", env=env(config)))
    line = assert_ok(subscriber.wait()).out
    assert b'"user_properties":[["k","a value"]]' in line, line


def test_what_is_typed_beats_the_environment_and_that_a_profile(config):
    (config / "mq" / "p.toml").write_text('url = "mqtt://profile.invalid:1"\n')
    shown = mqpub("--profile", "p", "--show-config", "-t", "t", "-n", env=env(config)).out
    assert b'url = "mqtt://profile.invalid:1"' in shown
    shown = mqpub("--profile", "p", "--show-config", "-t", "t", "-n",
                  env={**env(config), "MQTT_URL": "mqtt://environment.invalid"}).out
    assert b"# environment variable 'MQTT_URL'" in shown and b"profile.invalid" not in shown
    shown = mqpub("--profile", "p", "--show-config", "-t", "t", "-n", "-L", "mqtt://typed.invalid",
                  env={**env(config), "MQTT_URL": "mqtt://environment.invalid"}).out
    assert b"typed.invalid" in shown and b"environment.invalid" not in shown


def test_show_config_masks_every_secret_and_connects_nowhere(config):
    result = assert_ok(mqpub("--show-config", "-L", "ws://me:s3cret@none.invalid/p?signature=s3cret", "-t", "t",
                             "-n", "--ws-header", "Authorization: Bearer s3cret", env=env(config)))
    assert b"s3cret" not in result.out, result
    assert b'url = "ws://me:***@none.invalid/p?***"' in result.out
    assert b"s3cret" not in assert_ok(mqpub("--show-config", "-u", "me", "-P", "s3cret", "-t", "t", "-n")).out
    # What is shown is a settings file.
    (config / "again.toml").write_bytes(mqpub("--show-config", "-h", "none.invalid", "-t", "a b", "-n", "-q", "1").out)
    again = mqpub("--config", config / "again.toml", "--show-config").out
    assert b'host = "none.invalid"' in again and b'topic = "a b"' in again and b"qos = \"1\"" in again


@pytest.mark.parametrize("tool,options,words", (
    ("mqpub", ("--profile", "none"), ("mq/none.toml", "No such file or directory")),
    ("mqsub", ("--profile", "a/b"), ("'a/b'",)),
    ("mqpub", ("--config", "/nonexistent/c.toml"), ("/nonexistent/c.toml", "No such file or directory")),
    ("mqsub", ("-o", "/nonexistent/o"), ("/nonexistent/o", "No such file or directory")),
))
def test_a_named_file_that_is_missing_is_an_error(tool, options, words, config):
    run = {"mqpub": mqpub, "mqsub": mqsub}[tool]
    assert_fails(run("-t", "t", *options, *(["-n"] if tool == "mqpub" else []), env=env(config)), 2, *words)


def test_a_wrong_line_is_said_with_file_and_line(config):
    (config / "mqsub").write_text("-t a\n-q 3\n")
    assert_fails(mqsub(env=env(config)), 2, "mqsub:2", "'-q'", "'3'")
    (config / "mq" / "p.toml").write_text('host = "h"\nprot = 1\n')
    assert_fails(mqpub("-t", "t", "-n", "--profile", "p", env=env(config)), 2, "p.toml:2", "'prot'", "'port'")
