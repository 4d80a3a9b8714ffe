"""Addresses: console, API, webhooks, health."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from ecomsite import api, api_decisions, api_reviews, feed, media, shop
from monitoring import views as health

handler400 = "ecomsite.errors.bad_request"
handler403 = "ecomsite.errors.forbidden"
handler404 = "ecomsite.errors.not_found"
handler500 = "ecomsite.errors.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("console/", include("ecomsite.console.urls")),
    path("console/", admin.site.urls),
    path("api/v1/", api.index, name="api"),
    path("api/v1/copy/<path:sku>", shop.copy, name="api_copy"),
    path("api/v1/feed", feed.live_copy, name="api_feed"),
    path("api/v1/requests", api.request_copy, name="api_requests"),
    path("api/v1/requests/<str:pk>", api.show_request, name="api_request"),
    path("api/v1/reviews", api_reviews.shown, name="api_reviews"),
    path("api/v1/reviews/hidden", api_reviews.hidden, name="api_hidden_reviews"),
    path("api/v1/reviews/<path:external_id>/sentiment", api.review_sentiment, name="api_sentiment"),
    path("api/v1/items/<str:pk>/confirm", api_decisions.confirm, name="api_confirm"),
    path("api/v1/items/<str:pk>/return", api_decisions.return_, name="api_return"),
    path("api/v1/appeals", api_decisions.appeal, name="api_appeals"),
    path("api/v1/appeals/<str:pk>", api_decisions.show_appeal, name="api_appeal"),
    path("webhooks/", include("labeling.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("media/<path:path>", media.serve, name="media"),
]
