"""privacyIDEA with a message token for each user, as its documentation sets it up.

`privacyidea_peer.py FOLDER USERS` makes tables, keys and tokens; where messages go is told at each start: `privacyidea_peer.py FOLDER --sink URL`.
PRIVACYIDEA_CONFIGFILE names FOLDER/pi.cfg, which this writes.
"""

import os
import subprocess
import sys
from pathlib import Path

CONFIGURATION = """\
import os
FOLDER = os.environ["PEER_FOLDER"]
SQLALCHEMY_DATABASE_URI = "sqlite:///" + FOLDER + "/pi.sqlite"
SECRET_KEY = "for a benchmark on this machine only"
PI_PEPPER = "for a benchmark on this machine"
SUPERUSER_REALM = ["super"]
PI_ENCFILE = FOLDER + "/enckey"
PI_AUDIT_KEY_PRIVATE = FOLDER + "/audit.private.pem"
PI_AUDIT_KEY_PUBLIC = FOLDER + "/audit.public.pem"
PI_LOGFILE = FOLDER + "/privacyidea.log"
PI_LOGLEVEL = 40
"""

# Whoever asks for a challenge has to be somebody.
ADMIN_PASSWORD = "for a benchmark on this machine"


def number(user):
    """As bench-load counts them."""
    return f"+1202{2_000_000 + user * 7919 % 7_900_000}"


def application(folder):
    from privacyidea.app import create_app

    return create_app(config_name="production", config_file=f"{folder}/pi.cfg", silent=True)


def prepare(folder, users):
    Path(folder, "pi.cfg").write_text(CONFIGURATION, encoding="utf-8")
    manage = Path(sys.executable).with_name("pi-manage")
    for step in ("create_enckey", "create_audit_keys", "create_tables"):
        subprocess.run([manage, "setup", step], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with application(folder).app_context():
        from privacyidea.lib.auth import create_db_admin
        from privacyidea.lib.config import set_privacyidea_config
        from privacyidea.lib.token.lifecycle import init_token

        create_db_admin("admin", password=ADMIN_PASSWORD)
        set_privacyidea_config("sms.identifier", "sink")
        for user in range(users):
            init_token({"type": "sms", "phone": number(user), "serial": f"S{user}"})


def point_to(folder, sink):
    with application(folder).app_context():
        from privacyidea.lib.smsprovider.SMSProvider import set_smsgateway

        # A value of digits only would arrive as a number, without its zeros at the front.
        set_smsgateway(
            "sink",
            "privacyidea.lib.smsprovider.HttpSMSProvider.HttpSMSProvider",
            options={"URL": sink, "HTTP_METHOD": "POST", "SEND_DATA_AS_JSON": "yes", "to": "{phone}", "body": "Your code is {otp}"},
        )


if __name__ == "__main__":
    peer_folder = os.path.abspath(sys.argv[1])
    os.environ["PEER_FOLDER"] = peer_folder
    os.environ["PRIVACYIDEA_CONFIGFILE"] = f"{peer_folder}/pi.cfg"
    # Before it has read its configuration it logs to where it was started.
    os.chdir(peer_folder)
    if sys.argv[2] == "--sink":
        point_to(peer_folder, sys.argv[3])
    else:
        prepare(peer_folder, int(sys.argv[2]))
