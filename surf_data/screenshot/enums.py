"""Closed lists of values, as the database knows them. Text of the same value is accepted wherever one is wanted."""

from enum import StrEnum, auto


class UserStatus(StrEnum):
    """Whether a user may sign in: only an active one may."""

    ACTIVE = auto()
    INACTIVE = auto()
    SUSPENDED = auto()
    PENDING = auto()


class UserRole(StrEnum):
    """What a user may do."""

    USER = auto()
    ADMIN = auto()
    MODERATOR = auto()


class AuthProvider(StrEnum):
    """Who checks that a user is who it says."""

    LOCAL = auto()
    AZURE_AD = auto()
    GOOGLE = auto()
    GITHUB = auto()


class ProjectStatus(StrEnum):
    """Where a project stands. A deleted one is kept for a while."""

    DRAFT = auto()
    ACTIVE = auto()
    COMPLETED = auto()
    ARCHIVED = auto()
    DELETED = auto()


class ProjectType(StrEnum):
    """What is made of a screenshot."""

    WEBSITE = auto()
    MOBILE_APP = auto()
    COMPONENT = auto()
    PROTOTYPE = auto()


class CodeStack(StrEnum):
    """What the generated code is written in."""

    HTML_TAILWIND = auto()
    HTML_CSS = auto()
    REACT_TAILWIND = auto()
    VUE_TAILWIND = auto()
    BOOTSTRAP = auto()
    IONIC_TAILWIND = auto()
    SVG = auto()


class GenerationProvider(StrEnum):
    """Whose model generates code."""

    OPENAI = auto()
    AZURE_OPENAI = auto()
    CLAUDE = auto()
    GEMINI = auto()


class GenerationStatus(StrEnum):
    """Where the generation of code or of an image stands."""

    PENDING = auto()
    PROCESSING = auto()
    COMPLETED = auto()
    FAILED = auto()
    CANCELLED = auto()


#: The same for images, under the name that the original has for it.
ImageGenerationStatus = GenerationStatus


class GenerationType(StrEnum):
    """Whether code is new, or made of other code."""

    CREATE = auto()
    UPDATE = auto()
    REFINE = auto()


class ImageProvider(StrEnum):
    """Whose model generates images."""

    DALLE3 = auto()
    FLUX_SCHNELL = auto()


class ImageSize(StrEnum):
    """Width and height of a generated image in pixels."""

    SQUARE_1024 = "1024x1024"
    LANDSCAPE_1792 = "1792x1024"
    PORTRAIT_1792 = "1024x1792"
    SQUARE_512 = "512x512"
    SQUARE_768 = "768x768"
    LANDSCAPE_1536 = "1536x1024"
    PORTRAIT_1536 = "1024x1536"


class ImageQuality(StrEnum):
    """How finely an image is generated."""

    STANDARD = auto()
    HD = auto()


class ImageStyle(StrEnum):
    """How an image is generated."""

    VIVID = auto()
    NATURAL = auto()


class SessionStatus(StrEnum):
    """Whether a session holds: only an active one does, until it ends."""

    ACTIVE = auto()
    EXPIRED = auto()
    REVOKED = auto()
    INVALID = auto()


class SessionType(StrEnum):
    """What a session is with."""

    WEB = auto()
    API = auto()
    MOBILE = auto()
    DESKTOP = auto()


class AuditLevel(StrEnum):
    """How serious an entry of the audit log is."""

    INFO = auto()
    WARNING = auto()
    ERROR = auto()
    CRITICAL = auto()


class AuditCategory(StrEnum):
    """What an entry of the audit log is about."""

    AUTHENTICATION = auto()
    AUTHORIZATION = auto()
    DATA_ACCESS = auto()
    DATA_MODIFICATION = auto()
    SECURITY = auto()
    ADMINISTRATION = auto()
    SYSTEM = auto()
    COMPLIANCE = auto()


class AuditAction(StrEnum):
    """What was done."""

    USER_LOGIN = auto()
    USER_LOGOUT = auto()
    USER_REGISTER = auto()
    USER_UPDATE_PROFILE = auto()
    USER_CHANGE_PASSWORD = auto()
    USER_DELETE_ACCOUNT = auto()
    USER_VERIFY_EMAIL = auto()
    USER_RESET_PASSWORD = auto()
    PROJECT_CREATE = auto()
    PROJECT_UPDATE = auto()
    PROJECT_DELETE = auto()
    PROJECT_ARCHIVE = auto()
    PROJECT_RESTORE = auto()
    PROJECT_SHARE = auto()
    PROJECT_CLONE = auto()
    CODE_GENERATE = auto()
    CODE_UPDATE = auto()
    CODE_DELETE = auto()
    CODE_COPY = auto()
    CODE_DOWNLOAD = auto()
    CODE_RATE = auto()
    IMAGE_GENERATE = auto()
    IMAGE_DELETE = auto()
    IMAGE_DOWNLOAD = auto()
    IMAGE_RATE = auto()
    SESSION_CREATE = auto()
    SESSION_EXTEND = auto()
    SESSION_REVOKE = auto()
    SESSION_EXPIRE = auto()
    SECURITY_LOGIN_FAILED = auto()
    SECURITY_ACCOUNT_LOCKED = auto()
    SECURITY_ACCOUNT_UNLOCKED = auto()
    SECURITY_SUSPICIOUS_ACTIVITY = auto()
    SECURITY_DATA_EXPORT = auto()
    SECURITY_PRIVACY_SETTINGS = auto()
    ADMIN_USER_CREATE = auto()
    ADMIN_USER_UPDATE = auto()
    ADMIN_USER_DELETE = auto()
    ADMIN_USER_SUSPEND = auto()
    ADMIN_USER_UNSUSPEND = auto()
    ADMIN_SYSTEM_CONFIG = auto()
    ADMIN_DATA_EXPORT = auto()
    ADMIN_BULK_ACTION = auto()
    SYSTEM_STARTUP = auto()
    SYSTEM_SHUTDOWN = auto()
    SYSTEM_ERROR = auto()
    SYSTEM_MAINTENANCE = auto()
    SYSTEM_BACKUP = auto()
    SYSTEM_RESTORE = auto()
