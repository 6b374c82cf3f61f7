package odata

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A reply is decoded where it lies: the values of its rows are parts of its body, and nothing is made of what nobody asked for.

var (
	errNotOData    = errors.New("the reply is not of OData's form")
	errTooManyRows = errors.New("the reply has more rows than were asked for")
)

// maxMembers is how many properties an object may have. Creatio's widest entities have some two hundred.
const maxMembers = 1000

// names keeps one copy of each property's name.
type names map[string]string

func (n names) of(raw []byte) string {
	if name, known := n[string(raw)]; known {
		return name
	}
	var name string
	if json.Unmarshal(raw, &name) != nil {
		name = string(raw)
	}
	n[string(raw)] = name
	return name
}

// eachMember calls do for each property of a valid object.
func (n names) eachMember(object []byte, do func(name string, value json.RawMessage) error) error {
	i := blank(object, 0)
	if i == len(object) || object[i] != '{' {
		return errNotOData
	}
	for count := 0; ; count++ {
		i = blank(object, i+1)
		if object[i] == '}' {
			return nil
		}
		if count == maxMembers {
			return fmt.Errorf("%w: an object has more than %d properties", errNotOData, maxMembers)
		}
		end := skip(object, i)
		name := n.of(object[i:end])
		i = blank(object, blank(object, end)+1)
		end = skip(object, i)
		if err := do(name, object[i:end:end]); err != nil {
			return err
		}
		if i = blank(object, end); object[i] == '}' {
			return nil
		}
	}
}

// eachElement calls do for each element of a valid array.
func eachElement(array []byte, do func(value json.RawMessage) error) error {
	i := blank(array, 0)
	if i == len(array) || array[i] != '[' {
		return errNotOData
	}
	for {
		i = blank(array, i+1)
		if array[i] == ']' {
			return nil
		}
		end := skip(array, i)
		if err := do(array[i:end:end]); err != nil {
			return err
		}
		if i = blank(array, end); array[i] == ']' {
			return nil
		}
	}
}

// blank is where white space ends that begins at i.
func blank(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\r' || data[i] == '\t') {
		i++
	}
	return i
}

// skip is where a value ends that begins at i of valid JSON.
func skip(data []byte, i int) int {
	switch data[i] {
	case '"':
		for i++; data[i] != '"'; i++ {
			if data[i] == '\\' {
				i++
			}
		}
		return i + 1
	case '{', '[':
		for depth := 0; ; {
			switch data[i] {
			case '"':
				i = skip(data, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
	}
	for i < len(data) && !strings.ContainsRune(",]} \n\r\t", rune(data[i])) {
		i++
	}
	return i
}

func decodeRow(body []byte) (Row, error) {
	if !json.Valid(body) {
		return nil, fmt.Errorf("decode entity: %w", errNotOData)
	}
	return names{}.row(body)
}

func (n names) row(object []byte) (Row, error) {
	row := Row{}
	err := n.eachMember(object, func(name string, value json.RawMessage) error {
		row[name] = value
		return nil
	})
	if err != nil {
		return nil, err
	}
	return row, nil
}

// decodePage decodes a list of at most so many rows; of any number for 0.
func decodePage(body []byte, most int) (Page, error) {
	if !json.Valid(body) {
		return Page{}, fmt.Errorf("decode list: %w", errNotOData)
	}
	p, listed, n := Page{Count: -1}, false, names{}
	err := n.eachMember(body, func(name string, value json.RawMessage) (err error) {
		// OData 4.01 leaves the prefix of annotations out (JSON Format 4.01, section 4.6).
		switch name {
		case "value":
			listed = true
			p.Rows, err = n.rows(value, most)
		case "@odata.count", "@count":
			if p.Count, err = strconv.ParseInt(string(bytes.Trim(value, `"`)), 10, 64); err != nil {
				err = errors.New("decode list: @odata.count is no number")
			}
		case "@odata.nextLink", "@nextLink":
			err = json.Unmarshal(value, &p.NextLink)
		}
		return err
	})
	if err == nil && !listed {
		err = errNotOData
	}
	return p, err
}

func (n names) rows(array []byte, most int) ([]Row, error) {
	rows := []Row{}
	err := eachElement(array, func(value json.RawMessage) error {
		if most > 0 && len(rows) == most {
			return fmt.Errorf("%w: %d", errTooManyRows, most)
		}
		row, err := n.row(value)
		rows = append(rows, row)
		return err
	})
	return rows, err
}
