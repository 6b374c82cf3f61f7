variable "bucket" {
  description = "Bucket of the zip"
  type        = string
}

variable "builder" {
  description = "Id of the service account that builds"
  type        = string
}

variable "callers" {
  description = "Who may call, as IAM members"
  type        = list(string)
}

variable "egress" {
  description = "The network that calls go out through, or null"
  type = object({
    network     = string
    subnetwork  = string
    all_traffic = bool
    tags        = list(string)
  })
}

variable "entry_point" {
  description = "Name that the function registers"
  type        = string
}

variable "environment" {
  description = "Environment variables"
  type        = map(string)
}

variable "ingress" {
  description = "Where calls may come from"
  type        = string
}

variable "labels" {
  description = "Labels"
  type        = map(string)
}

variable "name" {
  description = "Deployed name"
  type        = string
}

variable "object" {
  description = "Name of the zip in the bucket"
  type        = string
}

variable "project" {
  description = "Project id"
  type        = string
}

variable "region" {
  description = "Region"
  type        = string
}

variable "repository" {
  description = "Id of the repository for the image"
  type        = string
}

variable "runtime" {
  description = "Runtime, as \"go126\""
  type        = string
}

variable "secrets" {
  description = "Environment variables that come from Secret Manager: secret and number of the version"
  type        = map(object({ secret = string, version = string }))
}

variable "service_account" {
  description = "E-mail of the service account that the function runs as"
  type        = string
}

variable "size" {
  description = "What an instance has, and how many there may be"
  type = object({
    memory          = string
    cpu             = string
    concurrency     = number
    timeout_seconds = number
    min_instances   = number
    max_instances   = number
  })
}
