package odata

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
)

const xmlAccept = "application/xml"

// Metadata are the entity sets of a service, by name.
type Metadata map[string]EntityType

// EntityType describes the records of a set.
type EntityType struct {
	// Properties are the types of properties by name, such as "Edm.Guid".
	Properties map[string]string
	// Lookups are the types of navigation properties to one record, by name.
	Lookups map[string]string
}

// Missing returns the names that are neither a property nor a lookup of the set; all of them if the set is unknown.
func (m Metadata) Missing(set string, names ...string) []string {
	var out []string
	for _, name := range names {
		_, property := m[set].Properties[name]
		_, lookup := m[set].Lookups[name]
		if !property && !lookup {
			out = append(out, name)
		}
	}
	return out
}

// Metadata reads the types of the named sets, or of all sets if none is named. A set that does not exist is missing from
// the result. The document of a Creatio site is tens of megabytes long: read it once per start.
func (c *Client) Metadata(ctx context.Context, sets ...string) (Metadata, error) {
	const op = "read metadata"
	a, err := c.do(ctx, request{op: op, method: http.MethodGet, path: "$metadata", target: serviceTarget, accept: xmlAccept})
	if err != nil {
		return nil, err
	}
	m, err := parseMetadata(bytes.NewReader(a.body), sets)
	if err != nil {
		return nil, c.fail(op, fault.New(fault.Retry, c.side, "unreadable-reply", err))
	}
	return m, nil
}

// schema is the content of a metadata document.
type schema struct {
	types map[string]*typeDefinition
	sets  map[string]string
}

type typeDefinition struct {
	base string
	EntityType
}

// parseMetadata reads an EDMX document (OData CSDL 4.0) token by token. A set may precede or follow its type, so it stores
// all types until the end, without the collections, which are most of the document.
func parseMetadata(r io.Reader, sets []string) (Metadata, error) {
	s := schema{types: map[string]*typeDefinition{}, sets: map[string]string{}}
	if err := s.read(r); err != nil {
		return nil, err
	}
	if len(s.sets) == 0 {
		return nil, errors.New("the document names no entity set")
	}
	if len(sets) == 0 {
		for set := range s.sets {
			sets = append(sets, set)
		}
	}
	out := Metadata{}
	for _, set := range sets {
		if name, ok := s.sets[set]; ok {
			out[set] = s.resolve(name)
		}
	}
	return out, nil
}

func (s schema) read(r io.Reader) error {
	d := xml.NewDecoder(r)
	var namespace string
	var current *typeDefinition
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("parse metadata: %w", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "Schema":
				namespace = attribute(e, "Namespace")
			case "EntityType":
				current = &typeDefinition{
					base:       attribute(e, "BaseType"),
					EntityType: EntityType{Properties: map[string]string{}, Lookups: map[string]string{}},
				}
				s.types[namespace+"."+attribute(e, "Name")] = current
			case "Property":
				if current != nil {
					current.Properties[attribute(e, "Name")] = attribute(e, "Type")
				}
			case "NavigationProperty":
				if to := attribute(e, "Type"); current != nil && !strings.HasPrefix(to, "Collection(") {
					current.Lookups[attribute(e, "Name")] = to
				}
			case "EntitySet":
				s.sets[attribute(e, "Name")] = attribute(e, "EntityType")
			}
		case xml.EndElement:
			if e.Name.Local == "EntityType" {
				current = nil
			}
		}
	}
}

// resolve returns a type with what it inherits.
func (s schema) resolve(name string) EntityType {
	out := EntityType{Properties: map[string]string{}, Lookups: map[string]string{}}
	for seen := map[string]bool{}; name != "" && !seen[name] && s.types[name] != nil; name = s.types[name].base {
		seen[name] = true
		for property, kind := range s.types[name].Properties {
			out.Properties[property] = kind
		}
		for lookup, to := range s.types[name].Lookups {
			out.Lookups[lookup] = to
		}
	}
	return out
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
