# What the guides of Django and whitenoise say about production, done to a fresh project.
sed -i \
    -e "s/^DEBUG = True/DEBUG = False/" \
    -e "s/^ALLOWED_HOSTS = .*/ALLOWED_HOSTS = ['*']/" \
    -e "s/^STATIC_URL = .*/&\nSTATIC_ROOT = BASE_DIR \/ 'staticfiles'/" \
    -e "s/^    'django.middleware.security.SecurityMiddleware',/&\n    'whitenoise.middleware.WhiteNoiseMiddleware',/" \
    -e "s/^    'django.contrib.staticfiles',/&\n    'polls',/" \
    shop/settings.py
cat > requirements.txt <<'END'
Django==5.2.8
gunicorn==23.0.0
whitenoise==6.11.0
END
cat > polls/tests.py <<'END'
from django.test import TestCase


class LoginTests(TestCase):
    def test_the_admin_asks_who_it_is(self):
        self.assertContains(self.client.get("/admin/login/"), "Django administration")
END
