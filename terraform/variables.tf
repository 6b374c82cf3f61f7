# In alphabetical order. README.md has them as a table.

variable "admin_emails" {
  description = "Addresses of who sees every user's state at /settings/admin"
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for e in var.admin_emails : can(regex("^[^@\\s,]+@[^@\\s,]+\\.[^@\\s,]+$", e))])
    error_message = "Every item has to be an e-mail address, as \"ada@example.com\"."
  }
}

variable "alerts" {
  description = "Who is told of what is wrong, and from when on: e-mail addresses, further notification channels by their names, and thresholds. No policy is made for a threshold of 0"
  type = object({
    emails              = optional(list(string), [])
    channels            = optional(list(string), [])
    silent_minutes      = optional(number, 180)
    error_percent       = optional(number, 20)
    function_errors     = optional(number, 5)
    held_runs           = optional(number, 1)
    queue_delay_seconds = optional(number, 900)
    quota_percent       = optional(number, 80)
    reconnects          = optional(number, 10)
    overdue_minutes     = optional(number, 60)
    scheduler_failures  = optional(number, 3)
    unreachable_minutes = optional(number, 5)
    auto_close_minutes  = optional(number, 10080)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for e in var.alerts.emails : can(regex("^[^@\\s,]+@[^@\\s,]+\\.[^@\\s,]+$", e))])
    error_message = "alerts.emails has to be a list of e-mail addresses."
  }
  validation {
    condition     = alltrue([for c in var.alerts.channels : can(regex("^projects/[^/]+/notificationChannels/[0-9]+$", c))])
    error_message = "alerts.channels has to be a list of \"projects/P/notificationChannels/N\"."
  }
  validation {
    condition = alltrue([for n in [
      var.alerts.silent_minutes, var.alerts.error_percent, var.alerts.function_errors, var.alerts.held_runs,
      var.alerts.queue_delay_seconds, var.alerts.quota_percent, var.alerts.reconnects, var.alerts.overdue_minutes,
      var.alerts.scheduler_failures, var.alerts.unreachable_minutes,
    ] : n >= 0]) && var.alerts.error_percent <= 100 && var.alerts.quota_percent <= 100
    error_message = "Thresholds may not be negative, and percentages may not be over 100."
  }
  validation {
    condition     = var.alerts.silent_minutes == 0 || (var.alerts.silent_minutes >= 10 && var.alerts.silent_minutes <= 1440)
    error_message = "alerts.silent_minutes has to be 0, or between 10 and 1440."
  }
  validation {
    condition     = var.alerts.auto_close_minutes >= 30 && var.alerts.auto_close_minutes <= 10080
    error_message = "alerts.auto_close_minutes has to be between 30 and 10080."
  }
}

variable "allowed_domains" {
  description = "Google Workspace domains that may use Tandem, or with @ before them endings of e-mail addresses; empty: anybody"
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for d in var.allowed_domains : can(regex("^@?[a-z0-9-]+(\\.[a-z0-9-]+)+$", d))])
    error_message = "Every item has to be a domain in lower case, as \"example.com\", or an ending of addresses, as \"@example.com\"."
  }
}

variable "audit_logs" {
  description = "Whether reading secrets and using the key is written to the audit log (see Costs)"
  type        = bool
  default     = true
  nullable    = false
}

variable "backup_days" {
  description = "How many days a daily backup of the database is kept"
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 98 && floor(var.backup_days) == var.backup_days
    error_message = "Firestore keeps backups for 1 to 98 days."
  }
}

variable "budget" {
  description = "A monthly budget of the project, whose alarm is sent at 50, 90 and 100 %, and at 100 % of what is forecast; null: none. Amount is in units of the billing account's currency"
  type = object({
    billing_account = string
    amount          = number
  })
  default = null

  validation {
    condition     = var.budget == null || try(can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account)) && var.budget.amount >= 1, false)
    error_message = "budget needs a billing_account as \"012345-ABCDEF-678901\" and an amount of at least 1."
  }
}

variable "calendar_push" {
  description = "Whether Google tells of changes of calendars, for which it has to reach the public function calendar-push. false: that function is not created, and changes come with the schedule"
  type        = bool
  default     = true
  nullable    = false
}

variable "creatio_auth" {
  description = "How users sign in to Creatio: user (each user's consent, 8.3 and later), password (each user's name and password, 7.x to 8.2) or client (one technical user)"
  type        = string
  default     = "user"
  nullable    = false

  validation {
    condition     = contains(["user", "password", "client"], var.creatio_auth)
    error_message = "creatio_auth has to be \"user\", \"password\" or \"client\"."
  }
}

variable "creatio_client_id" {
  description = "Client id of the OAuth application in Creatio; not used with creatio_auth = \"password\""
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.creatio_auth == "password" || can(regex("^\\S+$", var.creatio_client_id))
    error_message = "creatio_client_id is needed, in one piece, unless creatio_auth is \"password\"."
  }
}

variable "creatio_client_secret" {
  description = "Secret of the OAuth application in Creatio, write-only: in no state (Terraform 1.11). null: the team adds the version to Secret Manager itself"
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.creatio_client_secret == null || can(regex("^\\S+$", var.creatio_client_secret))
    error_message = "creatio_client_secret is empty or has spaces. Leave it out where the team adds the version to Secret Manager itself."
  }
}

variable "creatio_client_secret_version" {
  description = "Raise it to have a new creatio_client_secret written. Without a value there, the number of the version that the team added"
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.creatio_client_secret_version >= 1 && floor(var.creatio_client_secret_version) == var.creatio_client_secret_version
    error_message = "creatio_client_secret_version has to be a whole number of at least 1."
  }
}

variable "creatio_identity_url" {
  description = "Address of Creatio's identity service, where the site's OpenID discovery does not name it"
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.creatio_identity_url == "" || can(regex("^https://[^\\s/@?#]+(/[^\\s@?#]*)?$", var.creatio_identity_url))
    error_message = "creatio_identity_url has to be an https address, as \"https://acme-is.creatio.com\"."
  }
}

variable "creatio_url" {
  description = "Address of the Creatio site"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://[^\\s/@?#]+(/[^\\s@?#]*)?$", var.creatio_url)) && !can(regex("/0(/|$)", var.creatio_url))
    error_message = "creatio_url has to be the https address of the site itself, as \"https://acme.creatio.com\"."
  }
}

variable "database" {
  description = "Name of the Firestore database; null: that of name with \"-data\", or the one that the deployment has. After a restore, that of the database restored to"
  type        = string
  default     = null

  validation {
    condition     = var.database == null || var.database == "(default)" || can(regex("^[a-z][a-z0-9-]{2,61}[a-z0-9]$", var.database))
    error_message = "database has to be \"(default)\", or 4 to 63 lower-case letters, digits and hyphens."
  }
}

variable "deletion_protection" {
  description = "Keeps Terraform from deleting the database, the key and the secrets. Apply it with false before scripts/destroy"
  type        = bool
  default     = true
  nullable    = false
}

variable "domain" {
  description = "A domain of your own, which gets a load balancer with a certificate and rate rules; null: the address that Google gives the functions"
  type        = string
  default     = null

  validation {
    condition     = var.domain == null || can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.domain))
    error_message = "domain has to be a host name in lower case, as \"tandem.example.com\"."
  }
}

variable "egress" {
  description = "A network and subnetwork through which the functions call out, for a fixed address behind Cloud NAT or a Creatio site of your own; all_traffic = false leaves public addresses to the default way; null: none"
  type = object({
    network     = string
    subnetwork  = string
    all_traffic = optional(bool, true)
    tags        = optional(list(string), [])
  })
  default = null
}

variable "firestore_location" {
  description = "Where the database is, a region or a multi-region as \"eur3\"; null: the region. It cannot be changed later"
  type        = string
  default     = null

  validation {
    condition     = var.firestore_location == null || can(regex("^(eur3|nam5|nam7|[a-z]+-[a-z]+[0-9]+)$", var.firestore_location))
    error_message = "firestore_location has to be eur3, nam5, nam7, or a region."
  }
  validation {
    condition = try(
      lookup({ eur3 = "europe", nam5 = "us", nam7 = "us" }, var.firestore_location, split("-", var.firestore_location)[0]) == split("-", var.region)[0],
      true # No location or region, which is said elsewhere.
    )
    error_message = "firestore_location is on another continent than region: every document would cross an ocean, and may not leave yours."
  }
}

variable "functions" {
  description = "Sizes of single functions by their names, in place of the defaults in functions.tf"
  type = map(object({
    memory          = optional(string)
    cpu             = optional(string)
    concurrency     = optional(number)
    timeout_seconds = optional(number)
    min_instances   = optional(number)
    max_instances   = optional(number)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.functions) : contains(keys(local.table), name)])
    error_message = "functions has a name that is no function; see the table in functions.tf."
  }
  validation {
    condition     = alltrue([for s in values(var.functions) : s.memory == null || can(regex("^[0-9]+(\\.[0-9]+)?[MG]i?$", s.memory))])
    error_message = "memory has to be a number with Mi or Gi, as \"512Mi\"."
  }
  validation {
    condition     = alltrue([for s in values(var.functions) : try(tonumber(s.cpu) >= 1, true) || try(s.concurrency == 1, false)])
    error_message = "More than one request at a time needs a whole CPU."
  }
  validation {
    condition     = alltrue([for s in values(var.functions) : try(s.concurrency >= 1 && s.concurrency <= 1000 && floor(s.concurrency) == s.concurrency, true)])
    error_message = "concurrency has to be a whole number between 1 and 1000."
  }
  validation {
    condition     = alltrue([for s in values(var.functions) : s.cpu == null || can(regex("^(0?\\.[0-9]+|1|2|4|6|8)$", s.cpu))])
    error_message = "cpu has to be 1, 2, 4, 6 or 8, or less than 1."
  }
  validation {
    condition     = alltrue([for s in values(var.functions) : try(s.timeout_seconds >= 60 && s.timeout_seconds <= 1800, true)])
    error_message = "timeout_seconds has to be between 60 and 1800, the longest that Cloud Tasks and Cloud Scheduler wait."
  }
  validation {
    condition = alltrue([
      for name, s in var.functions : try(
        coalesce(s.max_instances, local.sizes[local.table[name].caller].max_instances) >= max(1, coalesce(s.min_instances, 0)),
        true # No such function, which is said above.
      ) && try(s.min_instances >= 0, true)
    ])
    error_message = "max_instances has to be at least 1 and not less than min_instances."
  }
}

variable "google_client_id" {
  description = "Client id of the Google OAuth client of type \"Web application\""
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^\\S+\\.apps\\.googleusercontent\\.com$", var.google_client_id))
    error_message = "google_client_id has to end in \".apps.googleusercontent.com\"."
  }
}

variable "google_client_secret" {
  description = "Secret of the Google OAuth client, write-only: in no state (Terraform 1.11). null: the team adds the version to Secret Manager itself"
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.google_client_secret == null || can(regex("^\\S+$", var.google_client_secret))
    error_message = "google_client_secret is empty or has spaces. Leave it out where the team adds the version to Secret Manager itself."
  }
}

variable "google_client_secret_version" {
  description = "Raise it to have a new google_client_secret written. Without a value there, the number of the version that the team added"
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.google_client_secret_version >= 1 && floor(var.google_client_secret_version) == var.google_client_secret_version
    error_message = "google_client_secret_version has to be a whole number of at least 1."
  }
}

variable "history_days" {
  description = "How many days the history of runs is kept, with the values that they changed"
  type        = number
  default     = 400
  nullable    = false

  validation {
    condition     = var.history_days >= 1 && var.history_days <= 3650 && floor(var.history_days) == var.history_days
    error_message = "history_days has to be a whole number between 1 and 3650."
  }
}

variable "key_rotation_days" {
  description = "After how many days the key that seals tokens gets a new version"
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.key_rotation_days >= 1 && var.key_rotation_days <= 365 && floor(var.key_rotation_days) == var.key_rotation_days
    error_message = "key_rotation_days has to be a whole number between 1 and 365."
  }
}

variable "labels" {
  description = "Labels of everything that has labels"
  type        = map(string)
  default     = { app = "tandem" }
  nullable    = false

  # https://cloud.google.com/resource-manager/docs/labels-overview, without letters of other scripts.
  validation {
    condition     = length(var.labels) <= 60 && alltrue([for k, v in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", k)) && can(regex("^[a-z0-9_-]{0,63}$", v))])
    error_message = "Labels are lower-case letters, digits, hyphens and underscores, 63 at most; a key begins with a letter."
  }
}

variable "name" {
  description = "What names begin with"
  type        = string
  default     = "tandem"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,12}[a-z0-9]$", var.name))
    error_message = "name has to be 3 to 14 lower-case letters, digits and hyphens: a service account has room for no more."
  }
}

variable "notice_smtp" {
  description = "Mail server for notices to users whose synchronization needs somebody, as smtps://NAME:PASSWORD@HOST:465?from=ADDRESS, write-only: in no state (Terraform 1.11). null: the team adds the version to Secret Manager itself, or there are no such notices"
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.notice_smtp == null || can(regex("^smtps?://\\S+$", var.notice_smtp))
    error_message = "notice_smtp has to be an address as \"smtps://NAME:PASSWORD@HOST:465?from=ADDRESS\"."
  }
}

variable "notice_smtp_version" {
  description = "Raise it to have a new notice_smtp written. Without a value there, the number of the version that the team added; 0: none"
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.notice_smtp_version >= 0 && floor(var.notice_smtp_version) == var.notice_smtp_version
    error_message = "notice_smtp_version has to be a whole number."
  }
}

variable "notice_webhook" {
  description = "Incoming webhook of Slack or Google Chat to which the same notices go, write-only: in no state (Terraform 1.11). null: the team adds the version to Secret Manager itself, or there are no such notices"
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.notice_webhook == null || can(regex("^https://\\S+$", var.notice_webhook))
    error_message = "notice_webhook has to be an address as \"https://chat.googleapis.com/v1/spaces/…\"."
  }
}

variable "notice_webhook_version" {
  description = "Raise it to have a new notice_webhook written. Without a value there, the number of the version that the team added; 0: none"
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.notice_webhook_version >= 0 && floor(var.notice_webhook_version) == var.notice_webhook_version
    error_message = "notice_webhook_version has to be a whole number."
  }
}

variable "privacy_url" {
  description = "Address of your privacy policy, linked from every page"
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.privacy_url == "" || can(regex("^https://[^\\s?#@]+$", var.privacy_url))
    error_message = "privacy_url has to be an https address without a query, or empty."
  }
}

variable "project" {
  description = "Id of the Google Cloud project"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project has to be the id of a project, 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "public" {
  description = "Whether anybody may call the public functions, which authenticate their callers themselves. false, where an organization forbids allUsers: the team itself lets callers in, by Identity-Aware Proxy in front of the load balancer"
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = var.public || !var.calendar_push
    error_message = "Google has no account with which to call calendar-push: public = false needs calendar_push = false."
  }
}

variable "queues" {
  description = "Rates and retries of single queues by their names (a sync type, or requests), in place of the defaults in queue.tf"
  type = map(object({
    per_second          = optional(number)
    concurrent          = optional(number)
    attempts            = optional(number)
    min_backoff_seconds = optional(number)
    max_backoff_seconds = optional(number)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.queues) : contains(local.queues, name)])
    error_message = "queues has a name that is no queue; see the table in functions.tf."
  }
  validation {
    condition     = alltrue([for q in values(var.queues) : try(q.per_second > 0 && q.per_second <= 500, true) && try(q.concurrent >= 1 && q.concurrent <= 5000, true)])
    error_message = "Cloud Tasks dispatches at most 500 tasks a second and 5000 at a time."
  }
  validation {
    condition = alltrue([
      for q in values(var.queues) : try(q.attempts >= 1, true) && try(q.min_backoff_seconds >= 1, true) &&
      coalesce(q.max_backoff_seconds, local.rate.max_backoff) >= coalesce(q.min_backoff_seconds, local.rate.min_backoff)
    ])
    error_message = "attempts has to be at least 1, and max_backoff_seconds not less than min_backoff_seconds."
  }
}

variable "rate_limits" {
  description = "With a domain: how many requests a minute one address may make, to everything and to the sign-in pages, before it is refused"
  type = object({
    requests_per_minute = optional(number, 300)
    sign_ins_per_minute = optional(number, 20)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.rate_limits.requests_per_minute >= 1 && var.rate_limits.sign_ins_per_minute >= 1 && var.rate_limits.sign_ins_per_minute <= var.rate_limits.requests_per_minute
    error_message = "Both limits have to be at least 1, and sign_ins_per_minute not more than requests_per_minute."
  }
}

variable "region" {
  description = "Region of everything, as \"europe-west1\""
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region has to be a region, as \"europe-west1\"."
  }
}

variable "settle_seconds" {
  description = "How long an apply waits after it created accounts, until their roles are effective everywhere"
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.settle_seconds >= 0 && var.settle_seconds <= 600 && floor(var.settle_seconds) == var.settle_seconds
    error_message = "settle_seconds has to be a whole number between 0 and 600."
  }
}

variable "telemetry" {
  description = "Whether traces go to Cloud Trace and metrics of runs and calls to Cloud Monitoring (see Costs)"
  type        = bool
  default     = true
  nullable    = false
}

variable "tls_policy" {
  description = "With a domain: name of an SSL policy of the project, whose versions of TLS the load balancer accepts; null: Google's default, TLS 1.0 and later"
  type        = string
  default     = null

  validation {
    condition     = var.tls_policy == null || can(regex("^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", var.tls_policy))
    error_message = "tls_policy has to be the name of an SSL policy, not its address."
  }
}

variable "unlinked_days" {
  description = "How many days links and history are kept after an account was unlinked; who links it again within them continues where it left off"
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.unlinked_days >= 1 && var.unlinked_days <= 3650 && floor(var.unlinked_days) == var.unlinked_days
    error_message = "unlinked_days has to be a whole number between 1 and 3650."
  }
}
