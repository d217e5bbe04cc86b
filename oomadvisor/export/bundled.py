"""The /etc/sysctl.conf that a bundle brought along, as the bytes that it had on the device."""

from oomadvisor.model import ConfFile, SystemState

PATH = "/etc/sysctl.conf"


def bundled_conf(state: SystemState) -> ConfFile | None:
    """Return the file as it arrived, None when the report brought none."""
    return next((conf for conf in state.proc.confs if conf.path == PATH), None)


def conf_bytes(conf: ConfFile) -> bytes | None:
    """Return what a patch can be made for; None when some of the file was lost on the way."""
    text = "\n".join(conf.lines) + ("\n" if conf.ended and conf.lines else "")
    return text.encode() if conf.whole and "\ufffd" not in text else None
