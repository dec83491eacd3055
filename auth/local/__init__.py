"""Accounts that no identity provider vouches for, the last resort."""

from flask import Flask, url_for


def register(app: Flask) -> None:
    """Add the door without a provider, and where its passwords are changed."""
    from auth.local import known_passwords
    from auth.local.changing import password_of
    from auth.local.routes import local_pages
    from auth.local.routes_changing import password_pages

    known_passwords.configure(app.config["SETTINGS"].leaked_passwords)
    app.register_blueprint(local_pages)
    app.register_blueprint(password_pages)
    app.jinja_env.globals["local_door"] = local_door
    app.jinja_env.globals["password_of"] = password_of


def local_door(audience: str, wanted: str = "") -> str:
    """The address of this door for an audience; "" where it is closed."""
    from auth import assurance

    if audience == "staff":
        return url_for("local.sign_in_staff", next=wanted or None)
    is_open = audience == "patient" and assurance.rules().local_accounts
    return url_for("local.sign_in", next=wanted or None) if is_open else ""
