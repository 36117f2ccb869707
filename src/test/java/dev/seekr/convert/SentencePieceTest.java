package dev.seekr.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import dev.seekr.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The model and the ids are those of scripts/make_sentencepiece.py. */
class SentencePieceTest {
  private static final Path FOLDER = Path.of("src/test/resources/convert/sentencepiece");
  private static final ObjectMapper JSON = new ObjectMapper();
  @TempDir Path folder;

  private Tokenizer tokenizer(String files) throws IOException {
    var model = SentencePiece.read(FOLDER.resolve(SentencePiece.FILE));
    var json = TokenizerJsonWriter.of(model, SpecialTokens.read(FOLDER.resolve(files), model));
    Path file = Files.writeString(folder.resolve("tokenizer.json"), json.toString());
    return Tokenizer.load(file);
  }

  @ParameterizedTest
  @ValueSource(strings = {"old", "new"})
  void idsAreThoseOfTheSlowTokenizer(String files) throws IOException {
    List<JsonNode> rows = new ArrayList<>();
    try (var in = new GZIPInputStream(Files.newInputStream(FOLDER.resolve("texts.jsonl.gz")))) {
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList())
        rows.add(JSON.readTree(line));
    }
    assertThat(rows).hasSizeGreaterThan(2300);
    var different = new ArrayList<String>();
    try (var tokenizer = tokenizer(files)) {
      assertThat(tokenizer.vocabSize()).isEqualTo(1002);
      for (JsonNode row : rows) {
        int[] expected = JSON.convertValue(row.get(files), int[].class);
        int[] found = tokenizer.encode(row.get("text").textValue());
        if (!Arrays.equals(found, expected))
          different.add(
              "%s: expected %s, found %s"
                  .formatted(row.get("text"), Arrays.toString(expected), Arrays.toString(found)));
      }
    }
    assertThat(different).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"old", "new"})
  void whatIsEncodedIsDecodedAgain(String files) throws IOException {
    try (var tokenizer = tokenizer(files)) {
      for (String text :
          List.of("the cat", "  two blanks", "\u4f60\u597d \ud83d\ude00\n\tend ", "a"))
        assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
    }
  }

  @Test
  void whateverIsCutOffIsRefused() throws IOException {
    byte[] whole = Files.readAllBytes(FOLDER.resolve(SentencePiece.FILE));
    for (int length = 0; length < whole.length; length += length < 600 ? 1 : 97)
      assertRefused(Arrays.copyOf(whole, length), "");
  }

  /** Fields of a model that is sound otherwise, as bytes of the format. */
  @ParameterizedTest
  @CsvSource({
    "'18 1', not of byte-pair encoding",
    "'c0 01 01', blanks at the ends of pieces",
  })
  void trainersThatCutOtherwiseAreRefused(String bytes, String message) throws IOException {
    assertRefused(model(hex(bytes), hex("20 0"), piece("a", 1)), message);
  }

  @ParameterizedTest
  @CsvSource({
    "'20 1', remove_extra_whitespaces",
    "'', remove_extra_whitespaces",
    "'20 0 28 0', escape_whitespaces",
    "'20 0 12 1 41', a map of characters",
    "'20 0 38 1', field 7 of normalizer_spec",
  })
  void normalizersThatChangeTextsAreRefused(String bytes, String message) throws IOException {
    assertRefused(model(hex("18 2"), hex(bytes), piece("a", 1)), message);
  }

  @Test
  void piecesThatCannotBeAreRefused() throws IOException {
    byte[] bpe = hex("18 2"), plain = hex("20 0");
    assertRefused(model(bpe, plain, piece("b", 5)), "the unused piece 'b'");
    assertRefused(model(bpe, plain, piece("b", 7)), "unknown kind 7");
    assertRefused(model(bpe, plain, piece("", 1)), "piece 1 is of 0 characters");
    assertRefused(model(bpe, plain, piece("<unk>", 1)), "'<unk>' is there twice");
    assertRefused(model(bpe, plain, piece("<0x1>", 6)), "'<0x1>' is no byte");
    assertRefused(
        model(bpe, plain, piece("x", 2)), "expected one piece for what is unknown, found 2");
    assertRefused(
        model(hex("18 2 98 2 1"), plain, piece("<0x00>", 6)),
        "expected pieces for 256 bytes, found 1");
    assertRefused(model(bpe, plain, piece("mine", 4)), "the piece 'mine' is a user's own");
    assertRefused(model(bpe, plain, hex("7a 0")), "field 15 of the model");
  }

  @Test
  void tokensWithIdsOfOthersAreRefused() throws IOException {
    Path model = FOLDER.resolve(SentencePiece.FILE);
    Files.writeString(folder.resolve("added_tokens.json"), "{\"<pad>\": 7}");
    assertThatThrownBy(() -> SpecialTokens.read(folder, SentencePiece.read(model)))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageContaining("'<pad>' has id 7, which is that of another one");
  }

  private void assertRefused(byte[] bytes, String message) throws IOException {
    Path file = Files.write(folder.resolve(SentencePiece.FILE), bytes);
    assertThatThrownBy(
            () -> {
              var model = SentencePiece.read(file);
              TokenizerJsonWriter.of(model, SpecialTokens.read(folder, model));
            })
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(message);
  }

  private static byte[] model(byte[] trainer, byte[] normalizer, byte[] rest) {
    return join(piece("<unk>", 2), field(2, trainer), field(3, normalizer), rest);
  }

  private static byte[] piece(String text, int kind) {
    var score = ByteBuffer.allocate(5).order(ByteOrder.LITTLE_ENDIAN).put((byte) 0x15).putFloat(0);
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return field(1, join(field(1, utf8), score.array(), new byte[] {0x18, (byte) kind}));
  }

  private static byte[] field(int number, byte[] bytes) {
    return join(new byte[] {(byte) (number << 3 | 2), (byte) bytes.length}, bytes);
  }

  private static byte[] hex(String bytes) {
    var out = new ByteArrayOutputStream();
    for (String b : bytes.split(" ")) if (!b.isEmpty()) out.write(Integer.parseInt(b, 16));
    return out.toByteArray();
  }

  private static byte[] join(byte[]... parts) {
    var out = new ByteArrayOutputStream();
    for (byte[] part : parts) out.writeBytes(part);
    return out.toByteArray();
  }
}
