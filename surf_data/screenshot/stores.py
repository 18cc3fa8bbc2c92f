"""Where the settings say that objects are stored."""

from surf_data.errors import ConfigurationError
from surf_data.kernel.storage import LocalStore, ObjectStore, UrlSigner, azure_store, s3_store
from surf_data.screenshot.settings import ScreenshotSettings


def url_signer(settings: ScreenshotSettings) -> UrlSigner | None:
    """Return what signs URLs of local objects; ``None`` without keys.

    Raises:
        ConfigurationError: the keys or the public URL are malformed.
    """
    keys = settings.storage_signing_keys
    return None if keys is None else UrlSigner(keys, settings.storage_public_url)


def object_store(settings: ScreenshotSettings) -> ObjectStore:
    """Return the store that the settings describe. Nothing is sent yet.

    Raises:
        ConfigurationError: a setting is missing or malformed, or the extra ``storage`` is not installed.
    """
    if settings.storage_backend == "local":
        return LocalStore(settings.local_storage_path, signer=url_signer(settings), fsync=settings.storage_fsync)
    if settings.storage_backend == "azure":
        if settings.azure_storage_connection_string is None:
            raise _missing("azure_storage_connection_string")
        return azure_store(
            settings.azure_storage_container_name,
            settings.azure_storage_connection_string,
            cdn_url=settings.azure_storage_cdn_url,
            timeout=settings.storage_timeout,
            retries=settings.storage_retries,
        )
    if settings.aws_s3_bucket is None:
        raise _missing("aws_s3_bucket")
    return s3_store(
        settings.aws_s3_bucket,
        region=settings.aws_region,
        access_key_id=settings.aws_access_key_id,
        secret_access_key=settings.aws_secret_access_key,
        session_token=settings.aws_session_token,
        endpoint=settings.aws_endpoint_url,
        cdn_url=settings.aws_s3_cdn_url,
        encryption=settings.storage_sse,
        kms_key_id=settings.storage_sse_kms_key_id,
        timeout=settings.storage_timeout,
        retries=settings.storage_retries,
    )


def _missing(setting: str) -> ConfigurationError:
    return ConfigurationError(f"this storage backend needs {setting}", setting=setting)
