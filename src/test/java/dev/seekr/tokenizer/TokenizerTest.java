package dev.seekr.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * On a byte-level BPE of 291 tokens whose tokenizer.json asks for all that must not happen:
 * truncation to 4, padding to 8, and a template that adds BOS and EOS. The expected ids are those
 * of the Python library with all three off.
 */
class TokenizerTest {
  private static final Path FOLDER = Path.of("src/test/resources/tokenizer");
  private static Tokenizer tokenizer;

  @TempDir Path folder;

  @BeforeAll
  static void load() {
    tokenizer = Tokenizer.load(FOLDER);
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  static Stream<Arguments> ids() {
    return Stream.of(
        arguments("the answer is yes", new int[] {263, 274, 266, 222, 90, 269}),
        arguments("Question: good", new int[] {280, 269, 262, 289, 27, 278}),
        arguments("seekr 😀 ü\n", new int[] {290, 222, 174, 255, 248, 224, 222, 129, 122, 200}),
        arguments("a</s>b", new int[] {66, 1, 67}),
        arguments("", new int[] {}),
        arguments(" ", new int[] {222}));
  }

  @ParameterizedTest
  @MethodSource
  void ids(String text, int[] ids) {
    assertThat(tokenizer.encode(text)).containsExactly(ids);
    assertThat(tokenizer.decode(ids, false)).isEqualTo(text);
  }

  @Test
  void nothingIsCutHoweverLong() {
    int[] ids = tokenizer.encode("yes ".repeat(5000));
    assertThat(ids).hasSizeGreaterThan(5000).doesNotContain(0, 1);
    assertThat(tokenizer.decode(ids)).isEqualTo("yes ".repeat(5000));
  }

  @Test
  void anyTextRoundTrips() {
    var random = new SplittableRandom(1);
    for (int i = 0; i < 300; i++) {
      var text = new StringBuilder();
      for (int n = random.nextInt(40); n > 0; n--) {
        int c = random.nextInt(random.nextBoolean() ? 0x80 : 0x11_0000);
        // Surrogates are halves of characters and cannot be encoded alone.
        if (c < 0xD800 || c > 0xDFFF) text.appendCodePoint(c);
      }
      int[] ids = tokenizer.encode(text.toString());
      assertThat(tokenizer.decode(ids, false)).isEqualTo(text.toString());
      assertThat(Arrays.stream(ids)).allMatch(id -> id >= 0 && id < tokenizer.vocabSize());
    }
  }

  @Test
  void specialTokensAreSkippedUnlessAskedFor() {
    int[] ids = {0, 263, 274, 1, 1};
    assertThat(tokenizer.decode(ids)).isEqualTo("the answer");
    assertThat(tokenizer.decode(ids, false)).isEqualTo("<s>the answer</s></s>");
    assertThat(tokenizer.decode(new int[0])).isEmpty();
  }

  @Test
  void halfACharacterDecodesToTheReplacementCharacter() {
    assertThat(tokenizer.decode(new int[] {66, 174, 255})).isEqualTo("a\uFFFD");
  }

  @Test
  void theVocabularyCountsAddedTokens() {
    assertThat(tokenizer.vocabSize()).isEqualTo(291);
    assertThat(tokenizer.decode(new int[] {290})).isEqualTo("seekr");
    assertThat(tokenizer.decode(new int[] {291})).as("an id beyond it").isEmpty();
  }

  @Test
  void theFileItselfMayBeNamed() {
    try (var named = Tokenizer.load(FOLDER.resolve("tokenizer.json"))) {
      assertThat(named.encode("the answer")).containsExactly(263, 274);
    }
  }

  @Test
  void closingTwiceIsHarmless() {
    var twice = Tokenizer.load(FOLDER);
    twice.close();
    twice.close();
  }

  @Test
  void aMissingFileIsInput() throws IOException {
    assertThatThrownBy(() -> Tokenizer.load(folder))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(66))
        .hasMessageContaining("tokenizer.json: no such file");
    Files.createFile(folder.resolve("tokenizer.model"));
    assertThatThrownBy(() -> Tokenizer.load(folder))
        .hasMessageContaining("./seekr convert " + folder + " OUT");
  }

  static Stream<Arguments> broken() {
    return Stream.of(
        arguments("", "expected a tokenizer, found nothing"),
        arguments("[]", "expected a tokenizer, found an array"),
        arguments("{}", "model: expected an object, found nothing"),
        arguments("{\n \"model\":", ":2:"),
        arguments("{} {}", ":1:4: expected JSON"),
        arguments("{\"model\":NaN}", "expected JSON"),
        arguments("{\"a\":" + "[".repeat(100_000), "nesting depth"));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource
  void broken(String json, String message) throws IOException {
    Path file = Files.writeString(folder.resolve("tokenizer.json"), json);
    assertThatThrownBy(() -> Tokenizer.load(folder))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(message);
  }
}
