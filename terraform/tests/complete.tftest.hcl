# The resources of deployments with further settings, with mock providers.

mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = {
      name      = "projects/acme-tandem/serviceAccounts/tandem-mocked@acme-tandem.iam.gserviceaccount.com"
      id        = "projects/acme-tandem/serviceAccounts/tandem-mocked@acme-tandem.iam.gserviceaccount.com"
      email     = "tandem-mocked@acme-tandem.iam.gserviceaccount.com"
      member    = "serviceAccount:tandem-mocked@acme-tandem.iam.gserviceaccount.com"
      unique_id = "100000000000000000001"
    }
  }
  mock_data "google_project" {
    defaults = {
      number = "123456789012"
    }
  }
}

mock_provider "random" {
  mock_resource "random_id" {
    defaults = {
      hex = "0a1b2c"
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

variables {
  settle_seconds = 0
}

run "a_domain" {
  command = apply

  variables {
    project                      = "acme-tandem"
    region                       = "europe-west1"
    google_client_id             = "1234567890-abc.apps.googleusercontent.com"
    google_client_secret_version = 3
    creatio_url                  = "https://acme.example.com"
    creatio_auth                 = "password"
    domain                       = "tandem.example.com"
    tls_policy                   = "modern"
    budget                       = { billing_account = "012345-ABCDEF-678901", amount = 100 }
    notice_webhook_version       = 2
  }

  # What notices go to is for the functions that send them.
  assert {
    condition = jsonencode({ for name, functions in local.readers : name => sort(functions) }) == jsonencode({
      google-client-secret = ["oauth-callback", "settings", "sync-activities", "sync-contacts"]
      notice-webhook       = ["sync-activities", "sync-contacts"]
    }) && output.secrets["notice-webhook"].version == "2"
    error_message = "A secret is read by other functions than need it."
  }

  assert {
    condition     = length(module.edge) == 1 && alltrue([for e in local.environment : e.PUBLIC_URL == "https://tandem.example.com"])
    error_message = "The functions do not know their domain."
  }

  # The sync functions are called at Google's address with tokens for it: Cloud Run accepts no others.
  assert {
    condition     = alltrue([for e in local.environment : e.INVOKER == google_service_account.invoker.email])
    error_message = "A function does not know who calls, or with whose token to call."
  }
  assert {
    condition = alltrue([
      for name, f in local.functions : local.environment[name].INVOKER_AUDIENCE ==
      "https://europe-west1-acme-tandem.cloudfunctions.net/${f.caller == "invoker" ? name : "{function}"}"
    ])
    error_message = "A function wants or makes tokens for another address than Google's."
  }
  assert {
    condition = alltrue([
      for name, job in module.schedule : job.audience == local.environment[name].INVOKER_AUDIENCE && job.uri == job.audience
    ])
    error_message = "A job calls with a token that its function does not want."
  }
  assert {
    condition     = alltrue([for q in module.queue : q.http_target[0].uri_override[0].host == "europe-west1-acme-tandem.cloudfunctions.net"])
    error_message = "Tasks go to the domain."
  }
  assert {
    condition = { for name, q in module.queue : name => [for t in q.http_target[0].oidc_token : t.audience] } == {
      activities = ["https://europe-west1-acme-tandem.cloudfunctions.net/sync-activities"]
      contacts   = ["https://europe-west1-acme-tandem.cloudfunctions.net/sync-contacts"]
      requests   = [] # For both functions: each task has its own.
    }
    error_message = "A queue calls with a token that its function does not want."
  }
  assert {
    condition = alltrue([
      for name, f in local.functions : lookup(local.environment[name], "INVOKER_VERIFIED_BY", "signature") == (f.caller == "invoker" ? "platform" : "signature")
    ])
    error_message = "A function relies on a check that nobody makes, or checks a signature that was removed."
  }

  assert {
    condition     = module.edge[0].tls == "projects/acme-tandem/global/sslPolicies/modern"
    error_message = "The load balancer does not use the policy."
  }
  assert {
    condition     = module.monitoring.budget == toset(["projects/123456789012"])
    error_message = "The budget's interface would return another project than it was given."
  }

  assert {
    condition     = module.monitoring.checked == "tandem.example.com/settings/healthz"
    error_message = "The domain is not checked from outside."
  }

  # Google calls from few addresses for all users.
  assert {
    condition     = module.edge[0].unlimited == toset(["calendar-push"])
    error_message = "The rate rules apply to ${join(" ", module.edge[0].unlimited)} not."
  }

  # The team's own versions are pinned, and none is created.
  assert {
    condition     = output.secrets["google-client-secret"].version == "3"
    error_message = "The version that the team added is not the one in use."
  }
  assert {
    condition     = !contains(keys(output.secrets), "creatio-client-secret") && alltrue([for name, e in local.environment : lookup(e, "CREATIO_AUTH", "") == (local.functions[name].accounts ? "password" : "") && !contains(keys(e), "CREATIO_CLIENT_ID")])
    error_message = "With names and passwords there is no OAuth application in Creatio."
  }
}

run "private" {
  command = apply

  variables {
    project           = "acme-tandem"
    region            = "europe-west1"
    google_client_id  = "1234567890-abc.apps.googleusercontent.com"
    creatio_url       = "https://acme.example.com"
    creatio_client_id = "tandem"
    calendar_push     = false
    public            = false
  }

  assert {
    condition     = alltrue([for name, f in module.function : join(" ", f.callers) == (local.functions[name].caller == "invoker" ? google_service_account.invoker.member : "")])
    error_message = "Somebody may call a function whom the organization does not let in."
  }
  assert {
    condition     = module.monitoring.checked == null && !contains(keys(module.monitoring.alarms), "unreachable")
    error_message = "An alarm goes off because a check may not call a function."
  }
}

run "without_push" {
  command = apply

  variables {
    project           = "acme-tandem"
    region            = "europe-west1"
    google_client_id  = "1234567890-abc.apps.googleusercontent.com"
    creatio_url       = "https://acme.example.com"
    creatio_client_id = "tandem"
    calendar_push     = false
  }

  assert {
    condition     = !contains(keys(module.function), "calendar-push") && alltrue([for e in local.environment : e.CALENDAR_PUSH == "off"])
    error_message = "Google is asked to call a function that is not there, or the function is there."
  }
  assert {
    condition     = contains(keys(module.queue), "activities") && contains(keys(module.schedule), "sync-activities")
    error_message = "Without push the schedule does not synchronize activities."
  }
}

run "without_telemetry" {
  command = plan

  variables {
    project           = "acme-tandem"
    region            = "europe-west1"
    google_client_id  = "1234567890-abc.apps.googleusercontent.com"
    creatio_url       = "https://acme.example.com"
    creatio_client_id = "tandem"
    telemetry         = false
  }

  assert {
    condition     = alltrue([for e in local.environment : !contains(keys(e), "TELEMETRY")]) && length(google_project_iam_member.telemetry) == 0
    error_message = "Functions send traces and metrics, or may."
  }
  assert {
    condition     = length(setintersection(local.services, ["cloudtrace.googleapis.com", "telemetry.googleapis.com"])) == 0
    error_message = "Interfaces are switched on that nobody calls."
  }
  assert {
    condition     = !contains(keys(module.monitoring.alarms), "overdue") && contains(keys(module.monitoring.alarms), "ticks")
    error_message = "An alarm asks for a metric that nobody sends."
  }
}

run "room_for_many" {
  command = plan

  variables {
    project           = "acme-tandem"
    region            = "europe-west1"
    google_client_id  = "1234567890-abc.apps.googleusercontent.com"
    creatio_url       = "https://acme.example.com"
    creatio_client_id = "tandem"
    functions         = { sync-contacts = { max_instances = 100, concurrency = 8 } }
    queues            = { contacts = { per_second = 100, concurrent = 600 } }
  }

  assert {
    condition     = local.size["sync-contacts"].max_instances == 100 && local.size["sync-contacts"].memory == "1Gi"
    error_message = "A size that was not given is not the default."
  }
  assert {
    condition     = local.rates["contacts"].concurrent == 600 && local.rates["contacts"].attempts == 8 && local.rates["requests"].concurrent == 60
    error_message = "The rates of one queue changed another's, or lost a default."
  }
}
