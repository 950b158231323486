"""Numbers, in a table of their own: allauth leaves them to whoever uses it."""

from django.conf import settings
from django.db import models


class Phone(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    number = models.CharField(max_length=20, unique=True)
    verified = models.BooleanField(default=False)
