"""Makes the tables, and as many users with known numbers as the argument says: `python -m allauth_peer.prepare USERS`."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "allauth_peer.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402

from .models import Phone  # noqa: E402


def number(user):
    """As bench-load counts them."""
    return f"+1202{2_000_000 + user * 7919 % 7_900_000}"


call_command("migrate", run_syncdb=True, verbosity=0)
count = range(int(sys.argv[1]))
users = User.objects.bulk_create([User(username=f"user{user}", password="!") for user in count], batch_size=1000)
phones = [Phone(user=user, number=number(at), verified=True) for at, user in enumerate(users)]
Phone.objects.bulk_create(phones, batch_size=1000)
