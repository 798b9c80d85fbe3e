"""Objects of the API as a person reads them: pure functions from raw JSON to sections of cleaned text.

Values of environment variables are left out, because they may be secrets.
"""
