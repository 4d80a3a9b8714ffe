"""Addresses of labelling, below /webhooks/."""

from django.urls import path

from labeling import doorkeeper, webhooks

urlpatterns = [
    path("label-studio/", webhooks.label_studio, name="label_studio_webhook"),
    path("label-studio/door/", doorkeeper.ask, name="label_studio_door"),
]
