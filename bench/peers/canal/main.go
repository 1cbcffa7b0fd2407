// go-mysql's canal: prints every row as JSON (print) or only counts them (count), until the table named STOP gets a
// row.   canal print|count PORT FILE STOP
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"unicode/utf8"

	"github.com/go-mysql-org/go-mysql/canal"
	"github.com/go-mysql-org/go-mysql/mysql"
)

type handler struct {
	canal.DummyEventHandler
	out   *bufio.Writer
	print bool
	rows  int
	stop  string
}

func plain(value any) any {
	if bytes, ok := value.([]byte); ok {
		if utf8.Valid(bytes) {
			return string(bytes)
		}
		return base64.StdEncoding.EncodeToString(bytes)
	}
	if text, ok := value.(string); ok && !utf8.ValidString(text) {
		return base64.StdEncoding.EncodeToString([]byte(text))
	}
	return value
}

func (h *handler) OnRow(e *canal.RowsEvent) error {
	for i, row := range e.Rows {
		if e.Action == canal.UpdateAction && i%2 == 0 {
			continue
		}
		h.rows++
		if h.print {
			values := map[string]any{}
			for c, value := range row {
				values[e.Table.Columns[c].Name] = plain(value)
			}
			line, _ := json.Marshal(map[string]any{"op": e.Action, "new": values})
			fmt.Fprintf(h.out, "{\"t\":%q,%s\n", e.Table.Name, line[1:])
		}
	}
	if e.Table.Name == h.stop {
		fmt.Fprintf(h.out, "rows %d\n", h.rows)
		h.out.Flush()
		os.Exit(0)
	}
	return nil
}

func main() {
	config := canal.NewDefaultConfig()
	config.Addr = "127.0.0.1:" + os.Args[2]
	config.User = "root"
	config.Password = os.Getenv("PEER_PASSWORD")
	config.ServerID = 9105
	config.Dump.ExecutionPath = ""
	client, err := canal.NewCanal(config)
	if err == nil {
		h := &handler{out: bufio.NewWriter(os.Stdout), print: os.Args[1] == "print", stop: os.Args[4]}
		client.SetEventHandler(h)
		err = client.RunFrom(mysql.Position{Name: os.Args[3], Pos: 4})
		h.out.Flush()
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
