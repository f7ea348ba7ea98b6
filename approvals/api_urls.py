"""Addresses of the approval side's part of the API."""

from django.urls import URLPattern, path

from approvals.api import public, reviews, token, window

app_name = "api"
urlpatterns: list[URLPattern] = [
    path("token/", token.TokenView.as_view(), name="token"),
    path("progress/", public.ProgressView.as_view(), name="progress"),
    path("verify/<slug:code>/", public.VerifyView.as_view(), name="verify"),
    path("cases/", window.CaseListView.as_view(), name="cases"),
    path("cases/<slug:number>/", window.CaseDetailView.as_view(), name="case"),
    path("cases/<slug:number>/uploads/", window.UploadView.as_view(), name="uploads"),
    path("cases/<slug:number>/accept/", window.AcceptView.as_view(), name="accept"),
    path("cases/<slug:number>/corrections/", window.CorrectionView.as_view(), name="corrections"),
    path("cases/<slug:number>/corrections/answer/", window.CorrectionAnswerView.as_view(), name="corrections-answer"),
    path("cases/<slug:number>/refusal/", window.RefusalView.as_view(), name="refusal"),
    path("cases/<slug:number>/delivery/", window.DeliveryView.as_view(), name="delivery"),
    path("cases/<slug:number>/documents/", window.DocumentListView.as_view(), name="documents"),
    path("reviews/", reviews.ReviewListView.as_view(), name="reviews"),
    path("reviews/<slug:number>/", reviews.ReviewDetailView.as_view(), name="review"),
    path("reviews/<slug:number>/opinion/", reviews.OpinionView.as_view(), name="opinion"),
    path("reviews/<slug:number>/decision/", reviews.DecisionView.as_view(), name="decision"),
    path("reviews/<slug:number>/completion/", reviews.CompletionView.as_view(), name="completion"),
    path("reviews/<slug:number>/procedure/", reviews.ProcedureView.as_view(), name="procedure"),
    path("reviews/<slug:number>/procedure/end/", reviews.ProcedureEndView.as_view(), name="procedure-end"),
    path("reviews/<slug:number>/extension/", reviews.ExtensionRequestView.as_view(), name="extension-request"),
    path("extensions/", reviews.ExtensionListView.as_view(), name="extensions"),
    path("extensions/<slug:number>/", reviews.ExtensionView.as_view(), name="extension"),
]
