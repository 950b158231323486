"""Numbers and messages."""

import requests
from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings

from .models import Phone

# One session, so that the connection to the sink stays, as the others' does.
sink = requests.Session()


class Adapter(DefaultAccountAdapter):
    def set_phone(self, user, phone, verified):
        Phone.objects.update_or_create(user=user, defaults={"number": phone, "verified": verified})

    def get_phone(self, user):
        phone = Phone.objects.filter(user=user).first()
        return (phone.number, phone.verified) if phone else None

    def set_phone_verified(self, user, phone):
        Phone.objects.filter(user=user, number=phone).update(verified=True)

    def get_user_by_phone(self, phone):
        found = Phone.objects.select_related("user").filter(number=phone).first()
        return found.user if found else None

    def send_verification_code_sms(self, user, phone, code, **kwargs):
        message = {"to": phone, "body": f"Your code is {code}"}
        sink.post(settings.SINK, json=message, timeout=10).raise_for_status()
