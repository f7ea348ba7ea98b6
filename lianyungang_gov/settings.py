"""Settings, driven by the environment and loud when something is missing.

Three modes (``PORTAL_MODE``): ``demo`` (the default: embedded SQLite and Valkey, invented people, training clock),
``test`` (the suite) and ``production`` (PostgreSQL and Redis by URL, every secret from the environment; start-up is
refused with a default secret, with the training clock, with the demo phone or with a fault point).
"""

from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(parents=True, exist_ok=True)

PORTAL_MODE = env.str("PORTAL_MODE", default="demo")
if PORTAL_MODE not in {"demo", "test", "production"}:
    raise ImproperlyConfigured(f"PORTAL_MODE must be demo, test or production, not {PORTAL_MODE!r}")
PRODUCTION = PORTAL_MODE == "production"
DEBUG = False
PORTAL_NAME = "连云港市审批监管联动平台"

_DEMO_SECRET = "demo-only-secret-never-for-production-0123456789-abcdefghijklmnop"  # noqa: S105 - refused in production
_DEMO_FIELD_KEY = "ZGVtby1vbmx5LWtleS1uZXZlci1mb3ItcHJvZHVjdGk="


def _secret(name: str, demo_value: str) -> str:
    """Return the secret ``name``; in production it must be set and must not be the demo value."""
    value = env.str(name, default="")
    if PRODUCTION and (not value or value == demo_value):
        raise ImproperlyConfigured(f"{name} must be set to a value of its own in production")
    return value or demo_value


SECRET_KEY = _secret("SECRET_KEY", _DEMO_SECRET)
if PRODUCTION and len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY must have at least 50 characters in production")
FIELD_KEYS = _secret("FIELD_KEYS", _DEMO_FIELD_KEY).split(",")
HASH_KEY = _secret("HASH_KEY", "demo-only-hash-key-0123456789")
HOOK_TOKEN = _secret("HOOK_TOKEN", "demo-only-hook-token")

ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["*"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
if PRODUCTION and not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must be set in production")
PUBLIC_BASE_URL = env.str("PUBLIC_BASE_URL", default="http://127.0.0.1:8000")

TRAINING_ALLOWED = env.bool("TRAINING_ALLOWED", default=PORTAL_MODE == "demo")
DEMO_PHONE = env.bool("DEMO_PHONE", default=not PRODUCTION)
FAULT_FILE = env.str("FAULT_FILE", default="")
if PRODUCTION and (TRAINING_ALLOWED or DEMO_PHONE or FAULT_FILE):
    raise ImproperlyConfigured("TRAINING_ALLOWED, DEMO_PHONE and FAULT_FILE cannot be switched on in production")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_include_bootstrap",
    "simple_history",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "axes",
    "csp",
    "offices.apps.OfficesConfig",
    "ledger.apps.LedgerConfig",
    "deadlines.apps.DeadlinesConfig",
    "notifications.apps.NotificationsConfig",
    "catalogue.apps.CatalogueConfig",
    "credit.apps.CreditConfig",
    "approvals.apps.ApprovalsConfig",
    "supervision.apps.SupervisionConfig",
    "oversight.apps.OversightConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Lists of 50 rows shrink to a sixth. Its random padding hides lengths (BREACH); the CSRF token is masked anyway.
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "lianyungang_gov.middleware.PortalMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "lianyungang_gov.urls"
WSGI_APPLICATION = "lianyungang_gov.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "lianyungang_gov.context.portal",
            ],
        },
    },
    # The rows of long lists alone (``{% rows %}``).
    {
        "NAME": "rows",
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"environment": "lianyungang_gov.rows.environment"},
    },
]

# --- data ------------------------------------------------------------------------------------------------------------
DATABASE_URL = env.str("DATABASE_URL", default="")
if PRODUCTION and not DATABASE_URL.startswith(("postgres://", "postgresql://")):
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database in production")
if DATABASE_URL:
    DATABASES: dict[str, dict[str, Any]] = {"default": env.db_url("DATABASE_URL")}
    DATABASES["default"].setdefault("CONN_MAX_AGE", 600)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
else:
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(VAR_DIR / "db.sqlite3")}}
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # Our joins are foreign keys written in a sensible order. Left to try every order, PostgreSQL plans a page's eight
    # joins for 20 ms and runs them in 1 ms. And its idea of what a jump costs is that of a turning disk.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault(
        "options", "-c join_collapse_limit=3 -c random_page_cost=1.1"
    )
# Kept statements are planned once a connection (``offices.prepared``); not behind a pooler of transactions.
PREPARED_STATEMENTS = env.bool("PREPARED_STATEMENTS", default=True)
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # Threads in tests need a database that several connections can open.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")
if PRODUCTION and not REDIS_URL:
    raise ImproperlyConfigured("REDIS_URL must be set in production")
if not REDIS_URL:
    REDIS_URL = f"unix://{VAR_DIR / 'run' / 'valkey.sock'}?db=0"
if PORTAL_MODE == "test" and not env.str("REDIS_URL", default=""):
    CACHES: dict[str, dict[str, Any]] = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_timeout": 2} | ({} if REDIS_URL.startswith("unix:") else {"socket_connect_timeout": 2}),
        }
    }

# --- celery ----------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=0", "?virtual_host=0")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "deadlines.tasks.*": {"queue": "sweep"},
    "notifications.tasks.*": {"queue": "outbox"},
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 2,
    "socket_timeout": 30,
    # Without these a publish with the broker down holds the request for six seconds.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.2,
}
# A request never waits for the broker: a wake-up that cannot be sent is left to the next beat.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_ALWAYS_EAGER = False
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# --- people ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "offices.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "desk"
LOGOUT_REDIRECT_URL = "home"
SESSION_COOKIE_AGE = env.int("SESSION_SECONDS", default=30 * 60)  # prolonged by PortalMiddleware
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "lianyungang_gov.errors.locked_out"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
# The address of the visitor comes from the proxy only where one is configured.
PROXY_COUNT = env.int("PROXY_COUNT", default=0)
AXES_CLIENT_IP_CALLABLE = "offices.visitors.address"

# --- security --------------------------------------------------------------------------------------------------------
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
if PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- files -----------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(VAR_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": VAR_DIR / "uploads"}},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if PORTAL_MODE == "test"
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
UPLOAD_ROOT = VAR_DIR / "uploads"
UPLOAD_MAX_BYTES = 20 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
# One file cannot fill the disk: what exceeds the limit is counted but not kept.
FILE_UPLOAD_HANDLERS = ["approvals.upload_handler.CappedUploadHandler"]
FILE_UPLOAD_PERMISSIONS = 0o600

# --- language and time -----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

# --- messages --------------------------------------------------------------------------------------------------------
SMS_TRANSPORT = env.str("SMS_TRANSPORT", default="http" if PRODUCTION else "demo_phone")
SMS_GATEWAY_URL = env.str("SMS_GATEWAY_URL", default="")
SMS_GATEWAY_TOKEN = env.str("SMS_GATEWAY_TOKEN", default="")
SMS_GATEWAY_TIMEOUT = env.float("SMS_GATEWAY_TIMEOUT", default=5.0)
SMS_SIGNATURE = env.str("SMS_SIGNATURE", default="【连云港审管联动】")
if PRODUCTION and SMS_TRANSPORT != "http":
    raise ImproperlyConfigured("SMS_TRANSPORT must be http in production")
if PRODUCTION and not (SMS_GATEWAY_URL and SMS_GATEWAY_TOKEN):
    raise ImproperlyConfigured("SMS_GATEWAY_URL and SMS_GATEWAY_TOKEN must be set in production")

# --- the electronic-licence service (empty: materials are verified on paper only) ------------------------------------
ELICENCE_URL = env.str("ELICENCE_URL", default="")
ELICENCE_TOKEN = env.str("ELICENCE_TOKEN", default="")
ELICENCE_TIMEOUT = env.float("ELICENCE_TIMEOUT", default=5.0)
if PRODUCTION and ELICENCE_URL and not (ELICENCE_URL.startswith("https://") and ELICENCE_TOKEN):
    raise ImproperlyConfigured("ELICENCE_URL must be an https address with an ELICENCE_TOKEN in production")
if not 0 < ELICENCE_TIMEOUT <= 10:
    raise ImproperlyConfigured("ELICENCE_TIMEOUT must be above 0 and at most 10 seconds")

# --- the public credit platform (empty: nothing is pushed, the last known answers count) ------------------------------
CREDIT_URL = env.str("CREDIT_URL", default="")
CREDIT_TOKEN = env.str("CREDIT_TOKEN", default="")
CREDIT_TIMEOUT = env.float("CREDIT_TIMEOUT", default=5.0)
if PRODUCTION and CREDIT_URL and not (CREDIT_URL.startswith("https://") and CREDIT_TOKEN):
    raise ImproperlyConfigured("CREDIT_URL must be an https address with a CREDIT_TOKEN in production")
if not 0 < CREDIT_TIMEOUT <= 10:
    raise ImproperlyConfigured("CREDIT_TIMEOUT must be above 0 and at most 10 seconds")

# --- API -------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["offices.tokens.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "lianyungang_gov.problems.handler",
    "DATETIME_FORMAT": "iso-8601",
}
API_TOKEN_SECONDS = env.int("API_TOKEN_SECONDS", default=10 * 3600)
TOKEN_RATE = env.str("TOKEN_RATE", default="10/m")
SPECTACULAR_SETTINGS = {
    "TITLE": "连云港市审批监管联动平台 API",
    "DESCRIPTION": "From intake to supervision feedback, under the same rules as the pages. Errors are RFC 9457 "
    "problem documents; see docs/api.md. / 从收件到监管反馈，与页面同一套规则；错误一律为 RFC 9457 问题文档。",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "CaseStatus": "approvals.enums.CaseStatus",
        "Outcome": "approvals.enums.Outcome",
        "Way": "approvals.enums.Way",
        "MaterialState": "approvals.enums.MaterialState",
        "RefusalGround": "approvals.enums.RefusalGround",
        "DocumentKind": "approvals.enums.DocumentKind",
        "DeliveryMethod": "approvals.enums.DeliveryMethod",
        "VerificationState": "approvals.enums.VerificationState",
        "SignMethod": "approvals.enums.SignMethod",
        "SubjectKind": "credit.models.CreditSubject.Kind",
        "SubjectForm": "credit.identifiers.Form",
        "CreditRecordKind": "credit.models.CreditRecord.Kind",
        "SubjectLinkKind": "credit.models.SubjectLink.Kind",
        "SubjectLinkTab": "credit.api_links.LINK_TABS",
        "ReceivedGradesTab": "credit.api_links.GRADE_TABS",
        "CreditGrade": "credit.models.Grade",
        "CreditFactKind": "credit.models.CreditFact.Kind",
        "CreditFactTab": "credit.api_records.FACT_TABS",
        "CreditRecordTab": "credit.api_records.RECORD_TABS",
        "CreditRecordOrigin": "credit.models.CreditRecord.Origin",
        "BreachLevel": "credit.models.Level",
        "BreachStatus": "credit.models.Breach.Status",
        "RepairGround": "credit.models.Repair.Ground",
        "RepairOrigin": "credit.models.Repair.Origin",
        "JointMeasureKind": "credit.models.JointMeasure.Kind",
        "JointMeasureTab": "credit.api_measures.MEASURE_TABS",
        "MeasureRuleTab": "credit.api_measures.RULE_TABS",
        "PushKind": "credit.models.Push.Kind",
        "PushState": "credit.models.Push.State",
        "SubjectEventKind": "oversight.api_subjects.KINDS",
        "HandlingWay": "credit.models.HandlingWay",
        "ItemKind": "catalogue.enums.ItemKind",
        "Handling": "catalogue.enums.Handling",
        "Certainty": "catalogue.enums.Certainty",
        "Topic": "catalogue.enums.Topic",
        "PromiseMode": "catalogue.enums.PromiseMode",
        "DayKind": "deadlines.enums.DayKind",
        "YearStatus": "deadlines.enums.YearStatus",
        "DraftStatus": "deadlines.enums.DraftStatus",
        "DraftOrigin": "deadlines.enums.DraftOrigin",
        "MoveDirection": "deadlines.views_calendar.drafts.DIRECTIONS",
        "ClockKind": "deadlines.kinds.KindCode",
        "ClockState": "deadlines.enums.State",
        "ClockEventKind": "deadlines.enums.EventKind",
        "DayStanding": "deadlines.explaining.Standing",
        "PauseGround": "deadlines.enums.PauseGround",
        "Light": "deadlines.enums.Light",
        "CountedUnit": "deadlines.api.COUNTED_UNITS",
        "TaskStatus": "supervision.enums.TaskStatus",
        "TaskEnd": "supervision.enums.TaskEnd",
        "TaskOrigin": "supervision.enums.Origin",
        "VisitStatus": "supervision.enums.VisitStatus",
        "InspectionKind": "supervision.enums.InspectionKind",
        "FindingKind": "supervision.enums.FindingKind",
        "OffSite": "supervision.enums.OffSite",
        "Measure": "supervision.enums.Measure",
        "Result": "supervision.enums.Result",
        "Platform": "supervision.enums.Platform",
        "TaskPaperKind": "supervision.enums.PaperKind",
        "OrderStatus": "supervision.enums.OrderStatus",
        "OrderOutcome": "supervision.api_orders.OUTCOMES",
        "DisputeOutcome": "supervision.enums.DisputeOutcome",
        "DisputeState": "supervision.api_disputes.STATES",
        "LicenceState": "approvals.enums.LicenceState",
        "LicenceChangeKind": "approvals.enums.LicenceChangeKind",
        "LicenceChangeByHand": "approvals.api.licences.HANDS",
        "LicenceValidity": "approvals.views.licences.VALIDITY",
        "RevocationStatus": "approvals.enums.RevocationStatus",
        "RevocationGround": "approvals.enums.RevocationGround",
        "RevocationBars": "approvals.api.revocations.BARS",
        "RevocationQueue": "approvals.api.revocations.QUEUES",
        "RevocationAct": "approvals.api.revocations.ACT_CHOICES",
        "HearingWish": "approvals.enums.HearingWish",
        "Queue": "approvals.api.reviews.QUEUE_CHOICES",
        "Tick": "approvals.api.serializers.TICKS",
    },
    "TAGS": [
        {"name": "token", "description": "Sign in and out. / 登录令牌。"},
        {"name": "public", "description": "For everybody, without a token. / 公众。"},
        {"name": "window", "description": "Intake and delivery. / 窗口。"},
        {"name": "back office", "description": "Review and decision, blind before it. / 审批（决定前隐去申请人）。"},
        {"name": "department head", "description": "Extensions of the statutory period, blind too. / 延期审批。"},
        {"name": "supervision", "description": "Tasks of the supervising offices. / 监管。"},
        {"name": "clocks", "description": "Why a clock stands where it stands. / 期限说明。"},
        {"name": "calendar office", "description": "Proposing and publishing a year. / 日历办公室。"},
        {"name": "staff", "description": "Everybody's own leaves and conflicts. / 请假与回避申报。"},
        {"name": "credit", "description": "What a credit grade opens or closes. / 差异化办理。"},
        {"name": "subjects", "description": "One page a subject, by code. / 企业画像。"},
        {"name": "site officer", "description": "On-site checks by two. / 现场核查。"},
        {"name": "gateway", "description": "What the SMS gateway calls. / 短信网关回调。"},
    ],
}
PROGRESS_RATE = env.str("PROGRESS_RATE", default="30/m")
# How many SMS codes an address may have sent for the applicant's own door.
DOOR_RATE = env.str("DOOR_RATE", default="10/h")

SIMPLE_HISTORY_HISTORY_ID_USE_UUID = False

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"not_health": {"()": "lianyungang_gov.health.NotHealth"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["not_health"]}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"axes": {"level": "WARNING"}, "httpx": {"level": "WARNING"}},
}
# SQLite lays an index without the columns beside its key, and needs them nowhere.
SILENCED_SYSTEM_CHECKS: list[str] = ["models.W040"]
