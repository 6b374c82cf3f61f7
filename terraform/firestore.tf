# The database. Its indexes, exemptions and time-to-live are defined by shared/store/firestore; a test compares them.

resource "google_firestore_database" "this" {
  project                           = var.project
  name                              = coalesce(var.database, "${var.name}-data")
  location_id                       = coalesce(var.firestore_location, var.region)
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "OPTIMISTIC"
  app_engine_integration_mode       = "DISABLED"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.deletion_protection ? "PREVENT" : "DELETE"

  depends_on = [google_project_service.this]

  # A database cannot be renamed, and another one would be empty. A deployment whose database is "(default)", as it once was
  # by default, keeps it.
  lifecycle {
    ignore_changes = [name]

    postcondition {
      condition     = var.database == null || self.name == var.database
      error_message = "This deployment has another database than variable database says. README.md, Restoring, says how to replace it."
    }
  }
}

locals {
  indexes = {
    due      = { collection = "sync", scope = "COLLECTION_GROUP", fields = [["type", "ASCENDING"], ["shard", "ASCENDING"], ["due", "ASCENDING"]] }
    shortest = { collection = "sync", scope = "COLLECTION_GROUP", fields = [["type", "ASCENDING"], ["every", "ASCENDING"]] }
    places   = { collection = "sync", scope = "COLLECTION_GROUP", fields = [["type", "ASCENDING"], ["shard", "ASCENDING"], ["place", "ASCENDING"]] }
    latest   = { collection = "sync", scope = "COLLECTION_GROUP", fields = [["type", "ASCENDING"], ["shard", "ASCENDING"], ["lastSync", "DESCENDING"]] }
    shared   = { collection = "links", scope = "COLLECTION_GROUP", fields = [["type", "ASCENDING"], ["shared", "ASCENDING"]] }
    copies   = { collection = "links", scope = "COLLECTION_GROUP", fields = [["type", "ASCENDING"], ["creatioId", "ASCENDING"]] }
    runs     = { collection = "runs", scope = "COLLECTION", fields = [["type", "ASCENDING"], ["id", "DESCENDING"]] }
  }
  unindexed = [
    "users/doc", "tokens/doc", "states/doc", "seats/doc", "sync/doc", "links/doc", "runs/doc", "changes/doc", "pairs/doc", "blobs/doc", "pieces/doc", "rosters/doc",
    "claims/doc", "notes/doc", "channels/doc", "guesses/doc", "access/doc", "schedules/doc", "meta/doc",
    "sync/due", "sync/every", "sync/place", "sync/lastSync",
  ]
  expiring = ["states/expires", "claims/until", "notes/until", "channels/expires", "guesses/expires", "access/expires", "runs/expires", "changes/expires"]
}

resource "google_firestore_index" "this" {
  for_each = local.indexes

  project     = var.project
  database    = google_firestore_database.this.name
  collection  = each.value.collection
  query_scope = each.value.scope

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path = fields.value[0]
      order      = fields.value[1]
    }
  }
}

# Firestore indexes every field unless it is exempted.
resource "google_firestore_field" "unindexed" {
  for_each = toset(local.unindexed)

  project    = var.project
  database   = google_firestore_database.this.name
  collection = split("/", each.value)[0]
  field      = split("/", each.value)[1]

  index_config {}
}

resource "google_firestore_field" "expiring" {
  for_each = toset(local.expiring)

  project    = var.project
  database   = google_firestore_database.this.name
  collection = split("/", each.value)[0]
  field      = split("/", each.value)[1]

  ttl_config {}
  # No query uses such a time, and an index over a monotonically increasing time supports only 500 writes a second.
  index_config {}
}

resource "google_firestore_backup_schedule" "daily" {
  project   = var.project
  database  = google_firestore_database.this.name
  retention = "${var.backup_days * 86400}s"

  daily_recurrence {}
}

# Weekly backups are kept for the longest time that Firestore allows: 14 weeks.
resource "google_firestore_backup_schedule" "weekly" {
  project   = var.project
  database  = google_firestore_database.this.name
  retention = "8467200s"

  weekly_recurrence {
    day = "SUNDAY"
  }
}
