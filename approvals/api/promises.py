"""The credit query and the promise of a case, for the window (L5, L7, L8)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import credit_gate
from approvals.actions import Signing, sign_promise, withdraw_promise
from approvals.actions.promising import send_code
from approvals.api.serializers import CaseSerializer
from approvals.api.window import TAGS, WindowView
from approvals.enums import Door, SignerCapacity, SignMethod
from offices.api import ACT, Choice, Said, answers, read


class CreditDecisionSerializer(serializers.Serializer[Any]):
    """What a person decides on the answer."""

    allowed = serializers.BooleanField(help_text="Whether the promise way is taken.")
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=500, help_text="Required where it departs from `rule`."
    )


class SigningSerializer(serializers.Serializer[Any]):
    """The signature: every clause, by whom, how."""

    clauses = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=200),
        max_length=200,
        help_text="Numbers, from 1, of the clauses that the applicant confirmed, all of them.",
    )
    signer = Said(max_length=40, help_text="The name of the person who signs.")
    capacity = Choice(
        choices=SignerCapacity.choices,
        help_text="As what: `self` for a natural person, `legal` for an organisation, `agent` for both.",
    )
    method = Choice(
        choices=SignMethod.choices, help_text="`paper`: the signed letter is uploaded to its slot; `sms_code`: `code`."
    )
    code = serializers.CharField(required=False, allow_blank=True, default="", max_length=12)
    consents = serializers.BooleanField(required=False, default=False, help_text="To publication; asked apart.")
    deferred_until = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="Where a line is `deferred`: by when it comes."
    )


class SigningCodeSerializer(serializers.Serializer[Any]):
    """The letter as it is to be signed: the code signs this and nothing else."""

    signer = Said(max_length=40, help_text="The name of the person who signs.")
    capacity = Choice(choices=SignerCapacity.choices, help_text="As in `signPromise`.")
    consents = serializers.BooleanField(required=False, default=False, help_text="As in `signPromise`.")
    deferred_until = serializers.DateField(required=False, allow_null=True, default=None)


class CreditView(WindowView):
    """信用查询."""

    @extend_schema(
        operation_id="askCredit",
        summary="信用查询 · Ask what is known of the applicant",
        description="Grade, records in use, and for each way of handling whether the rule opens it. Kept with the case "
        "as seen; asked again before anybody decides it is renewed, afterwards it stands while the decision holds.",
        tags=TAGS,
        request=None,
        responses=answers({200: CaseSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Ask."""
        credit_gate.ask(self.found(number), by=self.user, now=self.now)
        return self.shown(number)


class CreditDecisionView(WindowView):
    """A person decides."""

    @extend_schema(
        operation_id="decideCredit",
        summary="决定是否采用告知承诺 · Decide whether the promise way is taken",
        description="Once, while the answer holds. The rule proposes; a person may depart from it with a reason.",
        tags=TAGS,
        request=CreditDecisionSerializer,
        responses=answers({200: CaseSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Decide."""
        case = self.found(number)
        credit_gate.settle(case, **read(CreditDecisionSerializer, request.data), by=self.user, now=self.now)
        return self.shown(number)


class PromiseView(WindowView):
    """签署告知承诺书."""

    @extend_schema(
        operation_id="signPromise",
        summary="签署告知承诺书 · Sign the promise",
        description="After the receipt and before the acceptance, once the promise way was decided on. Renders the "
        "letter with signer, method, time and digest; it is among the case's documents.",
        tags=TAGS,
        request=SigningSerializer,
        responses=answers({200: CaseSerializer}, *ACT, 429),
    )
    def post(self, request: Request, number: str) -> Response:
        """Sign."""
        case = self.found(number)
        signing = Signing(**read(SigningSerializer, request.data), address=f"staff:{self.user.pk}")
        sign_promise(case, signing=signing, by=self.user, now=self.now)
        return self.shown(number)


class PromiseCodeView(WindowView):
    """验证码."""

    @extend_schema(
        operation_id="sendPromiseCode",
        summary="发送签署验证码 · Send the code to sign with",
        description="Six digits to the phone of the case's contact, valid for ten minutes, once, and only for the "
        "letter with what is said here. It opens nothing else.",
        tags=TAGS,
        request=SigningCodeSerializer,
        responses=answers({204: None}, *ACT, 429),
    )
    def post(self, request: Request, number: str) -> Response:
        """Send."""
        said = read(SigningCodeSerializer, request.data)
        address = f"staff:{self.user.pk}"
        signing = Signing(**said, method=SignMethod.SMS_CODE, clauses=(), address=address)
        send_code(self.found(number), signing=signing, now=self.now)
        return Response(status=204)


class PromiseWithdrawalView(WindowView):
    """撤回承诺."""

    @extend_schema(
        operation_id="withdrawPromise",
        summary="撤回承诺 · Take the promise back",
        description="Before the acceptance the case becomes an ordinary one; after it, and for an item that is handled "
        "on promise only, the application is withdrawn. Not after the decision.",
        tags=TAGS,
        request=None,
        responses=answers({200: CaseSerializer}, *ACT),
    )
    def post(self, request: Request, number: str) -> Response:
        """Withdraw."""
        withdraw_promise(self.found(number), by=self.user, door=Door.WINDOW, now=self.now)
        return self.shown(number)
