package people

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/record"
)

// Fetch reads people by resource name. One who goes by another name now comes under that, with the old one as an alias.
func (s *Side) Fetch(ctx context.Context, ids []string) ([]record.Record, error) {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "" })
	slices.Sort(ids)
	ids = slices.Compact(ids)
	found, err := s.read(ctx, s.membership(), ids)
	if err != nil {
		return nil, fmt.Errorf("fetch contacts: %w", err)
	}
	var records []record.Record
	at := map[string]int{}
	for _, id := range ids {
		r := found[id]
		i, twice := at[r.ID]
		if !twice {
			i = len(records)
			at[r.ID] = i
			records = append(records, r)
		}
		if r.ID != id {
			records[i].Aliases = append(records[i].Aliases, id)
		}
	}
	return records, nil
}

// read reads people by resource name. Every name asked for has its answer: a record, or that it is gone.
func (s *Side) read(ctx context.Context, group string, ids []string) (map[string]record.Record, error) {
	out := make(map[string]record.Record, len(ids))
	for chunk := range slices.Chunk(ids, maxBatch) {
		if err := s.readSome(ctx, group, chunk, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Side) readSome(ctx context.Context, group string, ids []string, out map[string]record.Record) error {
	reply, err := s.service.People.GetBatchGet().ResourceNames(ids...).PersonFields(personFields).Sources(contactSource).Context(ctx).Do()
	if err = s.api.Classify("get people", err, false); fault.Is(err, fault.Gone) {
		if len(ids) == 1 {
			out[ids[0]] = record.Record{ID: ids[0], Gone: true}
			return nil
		}
		// One who is not there may fail them all.
		if err := s.readSome(ctx, group, ids[:len(ids)/2], out); err != nil {
			return err
		}
		return s.readSome(ctx, group, ids[len(ids)/2:], out)
	}
	if err != nil {
		return google.OfList(err)
	}
	for _, p := range reply.Responses {
		if p == nil {
			continue
		}
		asked := p.RequestedResourceName
		if asked == "" && p.Person != nil {
			asked = p.Person.ResourceName
		}
		switch err := s.personError("get person", p, false); {
		case fault.Is(err, fault.Gone):
			out[asked] = record.Record{ID: asked, Gone: true}
		case err != nil:
			return google.OfList(err)
		default:
			r := recordOf(p.Person, group)
			if r.Gone {
				r = record.Record{ID: asked, Gone: true}
			}
			out[asked] = r
		}
	}
	for _, id := range ids {
		if _, answered := out[id]; !answered {
			return fault.New(fault.Retry, google.Side, "incomplete-reply", errors.New("get people: not everybody asked for is in the reply"))
		}
	}
	return nil
}

// personError is the error of one person inside an answer; nil where the person is there.
func (s *Side) personError(what string, p *people.PersonResponse, write bool) error {
	var code int64
	message := ""
	if p.Status != nil {
		code, message = p.Status.Code, p.Status.Message
	}
	if err := google.ClassifyStatus(what, int(p.HttpStatusCode), code, message, write); err != nil {
		return err
	}
	if p.Person == nil || p.Person.ResourceName == "" {
		f := fault.New(fault.Retry, google.Side, "incomplete-reply", errors.New(what+": no person in the reply"))
		f.Ambiguous = write
		return f
	}
	return nil
}
