"""What starts a program on several machines, here all of them this one: sshd on several addresses, and Slurm."""

import os
import pwd
import shutil
import socket
import subprocess

from .directories import new_directory
from .ports import HOST, can_connect, free_port, wait_until
from .proc import Proc, run

START_SECONDS = 60


def _daemon(argv, **how):
    """In the foreground, and not longer than the tests."""
    return Proc(["setpriv", "--pdeathsig", "KILL", *map(str, argv)], stdin=None, **how)


class SshHosts:
    """Debian's sshd on several addresses of this machine, each a host for GNU parallel: `environment` has what that
    needs. Host and user keys are thrown away with the directory."""

    def __init__(self, count):
        self.addresses = [f"127.0.0.{n}" for n in range(2, count + 2)]
        self._dir = new_directory("sshd-")
        self._port = free_port()
        for key in ("host", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self._dir / key], check=True)
        (self._dir / "sshd_config").write_text("\n".join([
            f"Port {self._port}", *(f"ListenAddress {address}" for address in self.addresses),
            f"HostKey {self._dir}/host", "PidFile none", f"AuthorizedKeysFile {self._dir}/key.pub", "StrictModes no",
            "UsePAM no", "PasswordAuthentication no", "PermitRootLogin prohibit-password", ""]))
        (self._dir / "ssh_config").write_text("\n".join([
            "Host *", f"Port {self._port}", f"IdentityFile {self._dir}/key", "IdentitiesOnly yes",
            "StrictHostKeyChecking no", "UserKnownHostsFile /dev/null", "LogLevel ERROR", ""]))
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)  # where it gives up its rights
        self._proc = _daemon([shutil.which("sshd", path="/usr/sbin:/usr/bin"), "-D", "-e", "-f", self._dir / "sshd_config"])
        self.environment = {"PARALLEL_SSH": f"ssh -F {self._dir}/ssh_config", "HOME": str(self._dir)}

    def __enter__(self):
        for address in self.addresses:
            wait_until(lambda: can_connect((address, self._port)), START_SECONDS, f"sshd on {address}")
        return self

    def __exit__(self, *_):
        self._proc.stop()


class Slurm:
    """munged, slurmctld and slurmd with a cluster of this node alone, which takes as many tasks as a job wants:
    `environment` leads srun to it."""

    def __init__(self):
        self._dir = new_directory("slurm-")
        self._host = socket.gethostname().split(".")[0]
        self._procs = []
        for name in ("state", "spool"):
            (self._dir / name).mkdir()
        (self._dir / "key").write_bytes(os.urandom(1024))
        (self._dir / "key").chmod(0o400)
        self._dir.chmod(0o755)
        (self._dir / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        (self._dir / "slurm.conf").write_text(self._config())
        self.environment = {"SLURM_CONF": str(self._dir / "slurm.conf")}

    def _config(self):
        user = pwd.getpwuid(os.geteuid()).pw_name
        return "\n".join([
            "ClusterName=bench", f"SlurmctldHost={self._host}({HOST})", f"SlurmUser={user}", f"SlurmdUser={user}",
            f"SlurmctldPort={free_port()}", f"SlurmdPort={free_port()}", "AuthType=auth/munge",
            f"AuthInfo=socket={self._dir}/munge", "CredType=cred/munge", f"StateSaveLocation={self._dir}/state",
            f"SlurmdSpoolDir={self._dir}/spool", f"SlurmctldPidFile={self._dir}/slurmctld.pid",
            f"SlurmdPidFile={self._dir}/slurmd.pid", "ProctrackType=proctrack/linuxproc", "TaskPlugin=task/none",
            "JobAcctGatherType=jobacct_gather/none", "SelectType=select/linear", "MpiDefault=none", "ReturnToService=2",
            "SlurmdParameters=config_overrides", f"NodeName={self._host} NodeAddr={HOST} CPUs=8 State=UNKNOWN",
            f"PartitionName=all Nodes={self._host} Default=YES State=UP", ""])

    def _start(self, *argv):
        self._procs.append(_daemon(argv, env=os.environ | self.environment))

    def __enter__(self):
        try:
            at = self._dir
            self._start("/usr/sbin/munged", "--foreground", "--force", f"--key-file={at}/key", f"--socket={at}/munge",
                        f"--pid-file={at}/munge.pid", f"--log-file={at}/munge.log", f"--seed-file={at}/seed")
            wait_until((at / "munge").exists, START_SECONDS, "munged's socket")
            self._start("/usr/sbin/slurmctld", "-D", "-i")
            wait_until(lambda: self.ask("scontrol", "ping").out.count(b"UP"), START_SECONDS, "slurmctld")
            self._start("/usr/sbin/slurmd", "-D", "-N", self._host)
            wait_until(lambda: self.ask("sinfo", "-h", "-o", "%t").out.strip() == b"idle", START_SECONDS, "an idle node")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if len(self._procs) == 3:  # what a step has left behind would outlive slurmd
            wait_until(lambda: self.ask("sinfo", "-h", "-o", "%t").out.strip() == b"idle", START_SECONDS, "the last step's end")
        for proc in reversed(self._procs):
            proc.stop(seconds=3)

    def ask(self, *argv):
        return run(argv, env=os.environ | self.environment)
