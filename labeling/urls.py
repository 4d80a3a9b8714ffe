"""Addresses of labelling, below /webhooks/."""

from django.urls import path

from labeling import webhooks

urlpatterns = [path("label-studio/", webhooks.label_studio, name="label_studio_webhook")]
