package dev.seekr.convert;

import dev.seekr.Failure;
import dev.seekr.disk.Reading;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A tokenizer.model of SentencePiece, as LLaMA has it: byte-pair encoding of the text as it is. All
 * that changes which tokens a text has is read, or refused by name; what only training looks at is
 * passed over.
 *
 * @param file names it in messages
 * @param pieces by their id
 * @param prefix a blank is put before every text
 * @param byteFallback characters without a piece become pieces of their bytes
 */
record SentencePiece(Path file, List<Piece> pieces, boolean prefix, boolean byteFallback) {
  static final String FILE = "tokenizer.model";

  private static final long LARGEST = 32 << 20;
  private static final int MOST_PIECES = 1 << 20, LONGEST_PIECE = 512;

  /** What a piece is, in the order of the format's numbers from 1 on. */
  enum Kind {
    NORMAL,
    UNKNOWN,
    CONTROL,
    USER_DEFINED,
    UNUSED,
    BYTE
  }

  /** Pieces of a larger score are made of their parts before others. */
  record Piece(String text, float score, Kind kind) {}

  /** Throws Failure: 66 where it cannot be read, 65 naming what is wrong or not supported. */
  static SentencePiece read(Path file) {
    try {
      if (Files.size(file) > LARGEST)
        throw Failure.data("%s: larger than any tokenizer, %d bytes", file, Files.size(file));
    } catch (IOException e) {
      throw new Failure(Failure.Exit.INPUT, file + ": cannot be read: " + Reading.reason(e), e);
    }
    return new Reader(file).model(ByteBuffer.wrap(Reading.bytes(file)));
  }

  /** Reads the messages of the format, each of which has its fields by number. */
  private static final class Reader {
    private final Path file;
    private final List<Piece> pieces = new ArrayList<>();
    private final Map<String, Integer> ids = new HashMap<>();
    private boolean bpe, byteFallback, prefix = true, squeezes = true;

    Reader(Path file) {
      this.file = file;
    }

    SentencePiece model(ByteBuffer bytes) {
      var model = new Protobuf(file, bytes);
      while (model.next()) {
        switch (model.field()) {
          case 1 -> piece(model.message());
          case 2 -> trainer(model.message());
          case 3 -> normalizer(model.message());
          case 4 -> model.skip(); // texts to test it with
          case 5 -> denormalizer(model.message());
          default -> throw refused("field %d of the model", model.field());
        }
      }
      if (pieces.isEmpty()) throw Failure.data("%s: holds no pieces", file);
      if (!bpe)
        throw refused("a model that is not of byte-pair encoding (trainer_spec.model_type)");
      if (squeezes) throw refused("removing blanks (normalizer_spec.remove_extra_whitespaces)");
      kinds();
      return new SentencePiece(file, List.copyOf(pieces), prefix, byteFallback);
    }

    private void kinds() {
      int unknown = 0, bytes = 0;
      for (Piece piece : pieces) {
        if (piece.kind == Kind.UNUSED) throw refused("the unused piece '%s'", piece.text);
        if (piece.kind == Kind.UNKNOWN) unknown++;
        if (piece.kind != Kind.BYTE) continue;
        if (!piece.text.matches("<0x[0-9A-F]{2}>"))
          throw Failure.data("%s: the piece '%s' is no byte", file, piece.text);
        bytes++;
      }
      if (unknown != 1)
        throw Failure.data("%s: expected one piece for what is unknown, found %d", file, unknown);
      if (byteFallback && bytes != 256)
        throw Failure.data("%s: expected pieces for 256 bytes, found %d", file, bytes);
    }

    private void piece(Protobuf message) {
      String text = "";
      float score = 0;
      long kind = 1;
      while (message.next()) {
        switch (message.field()) {
          case 1 -> text = message.text();
          case 2 -> score = message.real();
          case 3 -> kind = message.whole();
          default -> throw refused("field %d of a piece", message.field());
        }
      }
      int id = pieces.size();
      if (text.isEmpty() || text.length() > LONGEST_PIECE || text.indexOf(0) >= 0)
        throw Failure.data(
            "%s: piece %d is of %d characters; expected 1 to %d, none of them 0",
            file, id, text.length(), LONGEST_PIECE);
      if (!Float.isFinite(score))
        throw Failure.data("%s: piece %d, '%s', has the score %s", file, id, text, score);
      if (kind < 1 || kind > Kind.values().length)
        throw Failure.data("%s: piece %d, '%s', is of the unknown kind %d", file, id, text, kind);
      if (ids.put(text, id) != null)
        throw Failure.data("%s: the piece '%s' is there twice", file, text);
      if (id == MOST_PIECES) throw Failure.data("%s: more than %d pieces", file, MOST_PIECES);
      pieces.add(new Piece(text, score, Kind.values()[(int) kind - 1]));
    }

    private void trainer(Protobuf message) {
      while (message.next()) {
        switch (message.field()) {
          case 3 -> bpe = message.whole() == 2;
          case 24 -> {
            if (message.flag()) throw refused("blanks at the ends of pieces");
          }
          case 35 -> byteFallback = message.flag();
          default -> message.skip();
        }
      }
    }

    private void normalizer(Protobuf message) {
      while (message.next()) {
        switch (message.field()) {
          case 1 -> message.skip(); // a name; what it stands for is the map
          case 2 -> {
            if (message.bytes().hasRemaining())
              throw refused("a map of characters (normalizer_spec other than identity)");
          }
          case 3 -> prefix = message.flag();
          case 4 -> squeezes = message.flag();
          case 5 -> {
            if (!message.flag()) throw refused("blanks as they are (escape_whitespaces)");
          }
          case 6 -> message.skip(); // what the map was made of
          default -> throw refused("field %d of normalizer_spec", message.field());
        }
      }
    }

    private void denormalizer(Protobuf message) {
      while (message.next()) {
        if (message.field() == 2 && message.bytes().hasRemaining())
          throw refused("a map of characters on the way back (denormalizer_spec)");
        else if (message.field() != 2) message.skip();
      }
    }

    private Failure refused(String what, Object... args) {
      return Failure.data(
          "%s: %s is not supported; save the tokenizer as tokenizer.json with transformers:"
              + " AutoTokenizer.from_pretrained(FOLDER).save_pretrained(OUT)",
          file, what.formatted(args));
    }
  }
}
