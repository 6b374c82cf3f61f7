package contacts

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
)

// The kinds of tags: ContactTag of the classic pages, and Tag of the Freedom UI, which tags records of every section.
const (
	Classic = "classic"
	Freedom = "freedom"
)

// Tag is one private contact tag.
type Tag struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// Tags are the private contact tags that the user has made, of both kinds, by name.
func Tags(ctx context.Context, site *creatio.Site, contactID string) ([]Tag, error) {
	mine := odata.Eq("CreatedBy/Id", odata.Guid(contactID))
	answers, err := site.Read(odata.Small(ctx), []odata.Query{
		{Set: "ContactTag", Select: []string{"Id", "Name"}, Filter: odata.And(odata.Eq("Type/Id", odata.Guid(tagPrivate)), mine)},
		{Set: "Tag", Select: []string{"Id", "Name", "EntitySchemaName"}, Filter: odata.And(odata.Eq("TagAccess/Id", odata.Guid(tagMine)), mine)},
	})
	if err != nil {
		return nil, err
	}
	var tags []Tag
	var missing error
	for i, kind := range []string{Classic, Freedom} {
		// A site has the tags of the pages it has, and may let somebody read those of one kind only.
		switch err := answers[i].Err; {
		case fault.Is(err, fault.ReadOnly):
			missing = creatio.Barred(err)
		case err != nil && !creatio.UnknownSet(err):
			return nil, err
		}
		for _, r := range answers[i].Rows {
			if kind == Classic || forContacts(r) {
				tags = append(tags, Tag{ID: r.Text("Id"), Name: r.Text("Name"), Kind: kind})
			}
		}
	}
	if len(tags) == 0 && missing != nil {
		return nil, missing
	}
	if creatio.UnknownSet(answers[0].Err) && creatio.UnknownSet(answers[1].Err) {
		return nil, creatio.Required(answers[0].Err)
	}
	slices.SortFunc(tags, func(a, b Tag) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	})
	return tags, nil
}

func forContacts(row odata.Row) bool {
	schema := row.Text("EntitySchemaName")
	return schema == "" || schema == "Contact"
}

// tagging is how the links between a tag and its contacts are kept.
type tagging struct {
	tag Tag
	// set is the links' entity set; contact its property with the contact's id; path the same in a filter.
	set, contact, path string
}

func taggingOf(t Tag) tagging {
	if t.Kind == Freedom {
		// RecordId is a plain id and no lookup, so a filter names it as it is.
		return tagging{tag: t, set: "TagInRecord", contact: "RecordId", path: "RecordId"}
	}
	return tagging{tag: t, set: "ContactInTag", contact: "EntityId", path: "Entity/Id"}
}

// links filters the tag's links.
func (t tagging) links(more ...odata.Filter) odata.Filter {
	of := []odata.Filter{odata.Eq("Tag/Id", odata.Guid(t.tag.ID))}
	if t.tag.Kind == Freedom {
		of = append(of, odata.Eq("RecordSchemaName", odata.String("Contact")))
	}
	return odata.And(append(of, more...)...)
}

// verify reads the tag itself.
func (t tagging) verify() odata.Query {
	q := odata.Query{Set: "ContactTag", Select: []string{"Id", "TypeId", "CreatedById"}, Filter: odata.Eq("Id", odata.Guid(t.tag.ID)), Top: 1}
	if t.tag.Kind == Freedom {
		q.Set, q.Select = "Tag", []string{"Id", "TagAccessId", "CreatedById", "EntitySchemaName"}
	}
	return q
}

// holds reports whether the tag is still there, private and the user's own.
func (t tagging) holds(rows []odata.Row, contactID string) bool {
	if len(rows) != 1 || !strings.EqualFold(rows[0].Lookup("CreatedById"), contactID) {
		return false
	}
	if t.tag.Kind == Freedom {
		return strings.EqualFold(rows[0].Lookup("TagAccessId"), tagMine) && forContacts(rows[0])
	}
	return strings.EqualFold(rows[0].Lookup("TypeId"), tagPrivate)
}

// link is the row that puts a contact under the tag. Its id is derived, so that tagging twice is seen as such, and none
// that a row elsewhere has.
func (t tagging) link(contactID string, taken map[string]bool) creatio.Write {
	body := map[string]any{"TagId": t.tag.ID, t.contact: contactID}
	for n := 0; ; n++ {
		id := creatio.DeriveID("tag", strings.ToLower(t.tag.ID), strings.ToLower(contactID), strconv.Itoa(n))
		if !taken[id] {
			body["Id"] = id
			break
		}
	}
	if t.tag.Kind == Freedom {
		body["RecordSchemaName"] = "Contact"
	}
	return creatio.Write{Method: "POST", Set: t.set, Body: body}
}
