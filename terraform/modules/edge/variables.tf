variable "domain" {
  description = "Host name"
  type        = string
}

variable "functions" {
  description = "Names of the functions that can be reached"
  type        = list(string)
}

variable "labels" {
  description = "Labels"
  type        = map(string)
}

variable "name" {
  description = "What names begin with"
  type        = string
}

variable "project" {
  description = "Project id"
  type        = string
}

variable "rate_limits" {
  description = "Requests a minute of one address"
  type = object({
    requests_per_minute = number
    sign_ins_per_minute = number
  })
}

variable "region" {
  description = "Region of the functions"
  type        = string
}

variable "tls_policy" {
  description = "Name of an SSL policy of the project, or null"
  type        = string
}

variable "unlimited" {
  description = "Names of those functions to which the rate rules do not apply"
  type        = list(string)
}
