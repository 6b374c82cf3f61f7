# The plans of the examples, which tests/hold compares with the texts in tests/hold/testdata.

mock_provider "google" {
  mock_data "google_project" {
    defaults = {
      number = "123456789012"
    }
  }
}

mock_provider "archive" {
  mock_data "archive_file" {
    defaults = {
      output_sha256 = "0123456789abcdef"
    }
  }
}

mock_provider "random" {}

run "minimal" {
  command = plan

  module {
    source = "./examples/minimal"
  }

  variables {
    project               = "acme-tandem"
    google_client_id      = "1234567890-abc.apps.googleusercontent.com"
    google_client_secret  = "not-a-secret"
    creatio_url           = "https://acme.example.com"
    creatio_client_id     = "tandem"
    creatio_client_secret = "not-a-secret"
  }

  assert {
    condition     = output.settings_url == "https://europe-west1-acme-tandem.cloudfunctions.net/settings"
    error_message = "The settings URL is ${output.settings_url}."
  }
  assert {
    condition     = output.redirect_uris == { google = "https://europe-west1-acme-tandem.cloudfunctions.net/oauth-callback", creatio = "https://europe-west1-acme-tandem.cloudfunctions.net/oauth-callback/creatio" }
    error_message = "The redirect URIs are not those of oauth-callback."
  }
}

run "complete" {
  command = plan

  module {
    source = "./examples/complete"
  }

  variables {
    project         = "acme-tandem"
    billing_account = "012345-ABCDEF-678901"
  }

  assert {
    condition     = output.settings_url == "https://tandem.example.com/settings" && output.google_redirect_uri == "https://tandem.example.com/oauth-callback"
    error_message = "Users are not led to the domain."
  }
}
