// Whether Go's own tools for transparency logs (golang.org/x/mod/sumdb/note and tlog) believe our ledger.
//
//	judge VKEY TILES ANCHOR PROOF EXPORT
//
// TILES is a folder of tiles, ANCHOR an older checkpoint of the same log, PROOF a tlog-proof, EXPORT an export for a court
// with the facts whole. One line for each promise: `ok …` or `FAIL …`. Only this page knows our layout; what is hashed,
// proven and signed is checked by the packages.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	vkey, tiles, anchor, proof, export := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	verifier, err := note.NewVerifier(vkey)
	say("note reads our key", err)
	tree, err := open(filepath.Join(tiles, "checkpoint"), verifier)
	say("note opens the checkpoint", err)
	reader := tlog.TileHashReader(tree, folder(tiles))
	say("tlog builds the signed root from the tiles", sameRoot(tree, reader))
	say(fmt.Sprintf("tlog proves each of %d entries", tree.N), everyEntry(tiles, tree, reader))
	say("tlog proves that the tree goes on from the anchor", goesOn(anchor, verifier, tree, reader))
	say("tlog believes our proof of inclusion", proven(proof, verifier, tiles))
	say("an export's facts are what the tree holds", exported(export, verifier))
	say("note opens the list of files, and each file is as it says", listed(export, verifier))
	say("note refuses a checkpoint with one bit flipped", flipped(filepath.Join(tiles, "checkpoint"), verifier))
}

func say(promise string, err error) {
	if err == nil {
		fmt.Println("ok", promise)
	} else {
		fmt.Println("FAIL", promise+":", err)
	}
}

// ---------- Checkpoints ----------

func open(file string, verifier note.Verifier) (tlog.Tree, error) {
	signed, err := os.ReadFile(file)
	if err != nil {
		return tlog.Tree{}, err
	}
	return read(signed, verifier)
}

func read(signed []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("no checkpoint of this log: %q", opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func flipped(file string, verifier note.Verifier) error {
	signed, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	signed[len(verifier.Name())+1] ^= 1
	if _, err := note.Open(signed, note.VerifierList(verifier)); err == nil {
		return fmt.Errorf("it opened %q", signed)
	}
	return nil
}

// ---------- The tree ----------

// folder reads tiles of height 8 as tlog-tiles lays them out: tlog's own paths have the height in them.
type folder string

func (f folder) Height() int { return 8 }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func sameRoot(tree tlog.Tree, reader tlog.HashReader) error {
	root, err := tlog.TreeHash(tree.N, reader)
	if err == nil && root != tree.Hash {
		err = fmt.Errorf("%v is signed, and the tiles make %v", tree.Hash, root)
	}
	return err
}

func goesOn(anchor string, verifier note.Verifier, tree tlog.Tree, reader tlog.HashReader) error {
	old, err := open(anchor, verifier)
	if err != nil {
		return err
	}
	if old.N < 1 || old.N >= tree.N {
		return fmt.Errorf("the anchor of %d is no older one", old.N)
	}
	proof, err := tlog.ProveTree(tree.N, old.N, reader)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

// entries reads the bundles: each entry behind its length in two octets.
func entries(root string, size int64) ([][]byte, error) {
	var all [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := int(size - n*256)
		if width > 256 {
			width = 256
		}
		path := tlog.Tile{H: 8, L: -1, N: n, W: width}.Path()
		path = strings.Replace(path, "tile/8/data/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return nil, err
		}
		for len(data) >= 2 {
			end := 2 + int(data[0])<<8 + int(data[1])
			if end > len(data) {
				return nil, fmt.Errorf("%s ends within an entry", path)
			}
			all, data = append(all, data[2:end]), data[end:]
		}
	}
	if int64(len(all)) != size {
		return nil, fmt.Errorf("%d entries of %d", len(all), size)
	}
	return all, nil
}

func everyEntry(root string, tree tlog.Tree, reader tlog.HashReader) error {
	all, err := entries(root, tree.N)
	if err != nil {
		return err
	}
	for n, entry := range all {
		proof, err := tlog.ProveRecord(tree.N, int64(n), reader)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(n), tlog.RecordHash(entry)); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
	}
	return nil
}

func proven(file string, verifier note.Verifier, root string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, signed, found := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("no tlog-proof: %q", text)
	}
	tree, err := read(signed, verifier)
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	all, err := entries(root, tree.N)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(all[index]))
}

// ---------- Exports ----------

func exported(root string, verifier note.Verifier) error {
	tree, err := open(filepath.Join(root, "checkpoint"), verifier)
	if err != nil {
		return err
	}
	all, err := entries(root, tree.N)
	if err != nil {
		return err
	}
	file, err := os.Open(filepath.Join(root, "facts.jsonl"))
	if err != nil {
		return err
	}
	defer file.Close()
	shown, lines := 0, bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for ; lines.Scan(); shown++ {
		var line struct {
			Position int64
			Salt     string
			Fact     json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return err
		}
		salt, err := hex.DecodeString(line.Salt)
		if err != nil || len(salt) != 32 {
			return fmt.Errorf("fact %d has the salt %q", line.Position, line.Salt)
		}
		commitment := sha256.Sum256(bytes.Join([][]byte{[]byte("bailiwick fact v1\x00"), salt, line.Fact}, nil))
		if !bytes.Equal(commitment[:], all[line.Position]) {
			return fmt.Errorf("fact %d is not the entry of the tree", line.Position)
		}
	}
	if shown == 0 {
		return fmt.Errorf("it shows no fact")
	}
	return lines.Err()
}

func listed(root string, verifier note.Verifier) error {
	signed, err := os.ReadFile(filepath.Join(root, "manifest"))
	if err != nil {
		return err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return err
	}
	count := 0
	for _, line := range strings.Split(opened.Text, "\n") {
		digest, path, found := strings.Cut(line, "  ")
		if !found {
			continue
		}
		count++
		data, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return err
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != digest {
			return fmt.Errorf("%s is another file", path)
		}
	}
	if count < 5 {
		return fmt.Errorf("it lists %d files", count)
	}
	return nil
}
