package dev.seekr.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tokenizers at which the library ends the process, hangs, or gives ids that nobody counts: each is
 * refused by name before the library sees it.
 */
class TokenizerRefusedTest {
  @TempDir Path folder;

  private Failure failure(TokenizerJson json) {
    Path file = json.in(folder);
    var thrown = new Failure[1];
    assertThatThrownBy(() -> Tokenizer.load(file).close())
        .isInstanceOfSatisfying(Failure.class, f -> thrown[0] = f)
        .hasMessageStartingWith(file + ": ");
    assertThat(thrown[0].exit).isEqualTo(Failure.Exit.DATA);
    assertThat(thrown[0].getMessage()).doesNotContain("\n", "not a tokenizer:");
    return thrown[0];
  }

  static Stream<Arguments> components() {
    String n = "normalizer", p = "pre_tokenizer", d = "decoder";
    return Stream.of(
        // Types.
        arguments(d, "{'type':'\\ud800'}", "decoder: expected a type among ByteFallback, "),
        arguments(d, "{'type':'Other'}", "Sequence, found \"Other\""),
        arguments(d, "{}", "decoder: expected a type among"),
        arguments(d, "7", "found 7"),
        arguments(d, sequence("decoders", "{'type':'Fuse'},{'type':'X'}"), "decoder[1]: expected"),
        arguments(d, "{'type':'Sequence'}", "decoder.decoders: expected an array, found nothing"),
        arguments(n, "{'type':'Other'}", "normalizer: expected a type among NFC, "),
        arguments(n, "{'type':'FixedLength','length':1}", "normalizer: expected"),
        arguments(p, "{'type':'FixedLength','length':0}", "pre_tokenizer: expected"),
        arguments(p, "{'type':'NFC'}", "pre_tokenizer: expected"),
        arguments(
            p,
            sequence("pretokenizers", sequence("pretokenizers", "{'type':'Y'}")),
            "pre_tokenizer[0][0]: expected"),
        arguments("post_processor", "{'type':'Z'}", "post_processor: expected"),
        arguments(
            n,
            sequence("normalizers", "{'type':'Nmt'}" + ",{'type':'Nmt'}".repeat(32)),
            "normalizer[32] Nmt: expected at most 32"),
        // Fields.
        arguments(d, "{'type':'Strip','content':'a','start':1,'stop':1}", "decoder Strip.stop"),
        arguments(d, "{'type':'Strip','content':'ab','start':1,'stop':0}", "decoder Strip.content"),
        arguments(d, "{'type':'Strip','content':'a','start':-1,'stop':0}", "decoder Strip.start"),
        arguments(d, "{'type':'BPEDecoder','suffix':''}", "decoder BPEDecoder.suffix"),
        arguments(d, "{'type':'WordPiece','prefix':'##'}", "decoder WordPiece.cleanup"),
        arguments(
            d,
            "{'type':'Metaspace','replacement':'\\udc00'}",
            "decoder Metaspace.replacement: expected one character, found \"\\udc00\""),
        arguments(d, replace("{'Regex':'a'}", ""), "decoder Replace.pattern"),
        arguments(n, "{'type':'Prepend','prepend':''}", "normalizer Prepend.prepend"),
        arguments(n, "{'type':'Prepend','prepend':'" + "a".repeat(1025) + "'}", "Prepend.prepend"),
        arguments(n, replace("{'String':''}", "x"), "normalizer Replace.pattern"),
        arguments(n, replace("{'String':'a','Regex':'b'}", "x"), "normalizer Replace.pattern"),
        arguments(n, replace("'a'", "x"), "normalizer Replace.pattern"),
        arguments(
            n, "{'type':'Strip','strip_left':1,'strip_right':true}", "Strip.strip_left: expected"),
        arguments(
            n,
            "{'type':'Precompiled','precompiled_charsmap':'BAAAAP////8='}",
            "normalizer Precompiled.precompiled_charsmap"),
        arguments(p, "{'type':'Punctuation','behavior':'Other'}", "Punctuation.behavior"),
        arguments(
            p,
            "{'type':'Metaspace','replacement':'_','prepend_scheme':'Always'}",
            "Metaspace.prepend_scheme"),
        // Patterns.
        arguments(n, replace("{'Regex':'(x+x+)+y'}", ""), "normalizer Replace: the pattern \"(x+x"),
        arguments(n, replace("{'Regex':'a*'}", "x"), "it can match nothing at all"),
        arguments(p, split("(a|b|ab)*c"), "pre_tokenizer Split: the pattern \"(a|b|ab)*c\" may"),
        arguments(p, split("(a)\\\\1"), "\\1 at character 4 is not known"),
        // Texts that become too long.
        arguments(
            n,
            sequence(
                "normalizers",
                replace("{'String':'a'}", "aa")
                    + ("," + replace("{'String':'a'}", "aa")).repeat(11)),
            "a text may become too long"));
  }

  private static String sequence(String members, String list) {
    return "{'type':'Sequence','%s':[%s]}".formatted(members, list);
  }

  private static String replace(String pattern, String content) {
    return "{'type':'Replace','pattern':%s,'content':'%s'}".formatted(pattern, content);
  }

  private static String split(String pattern) {
    return "{'type':'Split','pattern':{'Regex':'%s'},'behavior':'Isolated','invert':false}"
        .formatted(pattern);
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource
  void components(String stage, String component, String message) {
    assertThat(failure(TokenizerJson.words("a").with(stage, component)))
        .hasMessageContaining(message);
  }

  static Stream<Arguments> models() {
    String wordPiece =
        "{'type':'WordPiece','unk_token':'%s','continuing_subword_prefix':'##',"
            + "'max_input_chars_per_word':%s,'vocab':{'a':0}}";
    return Stream.of(
        arguments("'BPE'", "model: expected an object"),
        arguments("{'type':'Other','vocab':{'a':0}}", "model: expected a type among BPE, "),
        arguments("{'vocab':{'a':0}}", "found nothing"),
        arguments("{'type':'\\ud800','merges':[]}", "found \"\\ud800\""),
        arguments(bpe("'vocab':{}"), "model BPE.vocab: expected tokens"),
        arguments(bpe("'vocab':['a']"), "model BPE.vocab: expected tokens"),
        arguments(
            bpe("'vocab':{'a':2147483647,'b':0}"),
            "model BPE.vocab.\"a\": expected an id from 0 to 16777215, found 2147483647"),
        arguments(bpe("'vocab':{'a':16777216}"), "found 16777216"),
        arguments(bpe("'vocab':{'a':99999999999999999999}"), "found 99999999999999999999"),
        arguments(bpe("'vocab':{'a':-1}"), "found -1"),
        arguments(bpe("'vocab':{'a':1.0}"), "found 1.0"),
        arguments(bpe("'vocab':{'a':'1'}"), "found \"1\""),
        arguments(bpe("'vocab':{'a':3,'b':3}"), "\"b\" has the id of another token, 3"),
        arguments(bpe("'vocab':{'" + "a".repeat(1025) + "':3}"), "is too long or no text"),
        arguments(bpe("'vocab':{'a':0},'unk_token':'u'"), "BPE.unk_token: expected a token"),
        arguments(bpe("'vocab':{'a':0},'dropout':0.5"), "BPE.dropout: expected null or 0"),
        arguments(bpe("'vocab':{'a':0},'byte_fallback':1"), "BPE.byte_fallback: expected true"),
        arguments("{'type':'BPE','vocab':{'a':0}}", "BPE.merges: expected an array, found nothing"),
        arguments(
            "{'type':'BPE','vocab':{'a':0,'é':1,'aé':2},'merges':['a é'],"
                + "'continuing_subword_prefix':'#'}",
            "BPE.merges[0]: expected the second token with \"#\" first"),
        arguments(
            "{'type':'BPE','vocab':{'a':0,'é':1,'aé':2},'merges':[['a','é']],"
                + "'continuing_subword_prefix':'#'}",
            "BPE.merges[0]: expected"),
        arguments("{'type':'BPE','vocab':{'a':0},'merges':[7]}", "BPE.merges[0]: expected two"),
        arguments("{'type':'BPE','vocab':{'a':0},'merges':['a']}", "BPE.merges[0]: expected two"),
        arguments("{'type':'BPE','vocab':{'a':0},'merges':['a a a']}", "BPE.merges[0]: expected"),
        arguments("{'type':'BPE','vocab':{'a':0},'merges':[['a']]}", "BPE.merges[0]: expected two"),
        arguments(
            "{'type':'BPE','vocab':{'a':0,'aa':1},'merges':[['a','a'],'a a']}",
            "BPE.merges[1]: expected two tokens, in the form of the first"),
        arguments(wordPiece.formatted("[UNK]", "100"), "WordPiece.unk_token: expected a token"),
        arguments(wordPiece.formatted("a", "1000000"), "WordPiece.max_input_chars_per_word"),
        arguments("{'type':'WordLevel','unk_token':'u','vocab':{'a':0}}", "WordLevel.unk_token"),
        arguments("{'type':'WordLevel','vocab':{'a':0}}", "WordLevel.unk_token"),
        arguments(unigram("0", "[]"), "Unigram.vocab: expected an array"),
        arguments(unigram("1", "[['a',0]]"), "Unigram.unk_id: expected the place of a token"),
        arguments(unigram("null", "[['a',0]]"), "Unigram.unk_id: expected the place of a token"),
        arguments(unigram("0", "[['a',1e999]]"), "Unigram.vocab[0]: expected a token and its"),
        arguments(unigram("0", "[['a',0],['b','0']]"), "Unigram.vocab[1]: expected a token"),
        arguments(unigram("0", "[['a']]"), "Unigram.vocab[0]: expected a token"),
        arguments(unigram("0", "[['" + "a".repeat(257) + "',0]]"), "Unigram.vocab[0]: expected"));
  }

  private static String bpe(String fields) {
    return "{'type':'BPE','merges':[],%s}".formatted(fields);
  }

  private static String unigram(String unknown, String vocab) {
    return "{'type':'Unigram','unk_id':%s,'vocab':%s}".formatted(unknown, vocab);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void models(String model, String message) {
    assertThat(failure(TokenizerJson.of(model))).hasMessageContaining(message);
  }

  @Test
  void halfACharacterIsNoToken() {
    Path file = TokenizerJson.of(bpe("'vocab':{'\\ud800':3}")).in(folder);
    assertThatThrownBy(() -> Tokenizer.load(file).close())
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit).isEqualTo(Failure.Exit.DATA))
        .hasMessageStartingWith(file + ":2:")
        .hasMessageContaining("expected JSON: Broken surrogate pair");
  }

  /** Beside the words a (1) and b (2), and a normalizer that takes spaces away. */
  static Stream<Arguments> addedTokens() {
    return Stream.of(
        arguments("{}", "added_tokens: expected an array"),
        arguments("[7]", "added_tokens[0].content: expected a text, found nothing"),
        arguments("[" + added(1, "a") + "," + added(3, "\\udc00") + "]", "added_tokens[1].content"),
        arguments("[" + added(3, "") + "]", "added_tokens[0].content"),
        arguments("[" + added(9, "x") + "]", "added_tokens[0].id: expected 3, which \"x\" gets"),
        arguments("[" + added(0, "a") + "]", "added_tokens[0].id: expected 1, which \"a\" gets"),
        arguments("[" + added(3, "x") + "," + added(3, "x") + "]", "\"x\" is there twice"),
        arguments(
            "[{'id':3,'content':'x','single_word':false}]",
            "added_tokens[0].lstrip: expected true or false, found nothing"),
        arguments(
            "[" + added(3, " x", "normalized") + "]",
            "added_tokens[0]: nothing may be left of \" x\" when it is normalized"),
        arguments(
            "[" + added(3, " \u00a0", "lstrip") + "]", "added_tokens[0].lstrip: expected false"),
        arguments("[" + added(3, " ", "rstrip") + "]", "added_tokens[0].rstrip: expected false"));
  }

  private static String added(int id, String content, String... flags) {
    return TokenizerJson.added(id, content, flags);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void addedTokens(String tokens, String message) {
    assertThat(
            failure(
                TokenizerJson.words("a", "b")
                    .with("normalizer", "{'type':'Strip','strip_left':true,'strip_right':true}")
                    .with("added_tokens", tokens)))
        .hasMessageContaining(message);
  }

  @Test
  void anAddedTokenThatMayBecomeSpacesAlone() {
    assertThat(
            failure(
                TokenizerJson.words("a")
                    .with("normalizer", replace("{'String':'x'}", " "))
                    .with("added_tokens", "[" + added(2, "x", "normalized", "rstrip") + "]")))
        .hasMessageContaining("added_tokens[0].rstrip: expected false for \"x\"");
  }

  @Test
  void anAddedTokenWithTheIdOfAnother() {
    assertThat(
            failure(
                TokenizerJson.of("{'type':'WordLevel','unk_token':'a','vocab':{'a':0,'b':2}}")
                    .with("added_tokens", "[" + added(2, "x") + "]")))
        .hasMessageContaining("added_tokens[0]: \"x\" would get id 2, which another token has");
  }

  @Test
  void anotherVersion() {
    assertThat(failure(TokenizerJson.words("a").with("version", "'2.0'")))
        .hasMessageContaining("version: expected 1.0, found \"2.0\"");
  }

  /** Distinct tokens of 256 characters, a little more than 8 MiB. */
  @Test
  void aUnigramVocabularyOfTooMuchText() {
    var vocab = new StringBuilder("['a',0]");
    for (int i = 0; i <= 1 << 15; i++) vocab.append(",['%0256d',0]".formatted(i));
    assertThat(failure(TokenizerJson.of(unigram("0", "[" + vocab + "]"))))
        .hasMessageContaining("model Unigram.vocab: expected at most 8388608 bytes");
  }

  @Test
  void moreAddedTokensThanAnyTokenizerHas() {
    String tokens = "[0" + ",0".repeat(20_000) + "]";
    assertThat(failure(TokenizerJson.words("a").with("added_tokens", tokens)))
        .hasMessageContaining("added_tokens: expected at most 20000, found 20001");
  }

  @Test
  void aFileLargerThanAnyTokenizer() throws IOException {
    Path file = folder.resolve("tokenizer.json");
    try (var channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {' '}), 64 << 20);
    }
    assertThatThrownBy(() -> Tokenizer.load(file))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessage(file + ": larger than any tokenizer, 67108865 bytes");
  }

  @Test
  void oneNameTwice() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("tokenizer.json"),
            "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"a\":1},\"merges\":[]}}");
    assertThatThrownBy(() -> Tokenizer.load(file))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageContaining("Duplicate field 'a'");
  }

  /** What the library itself refuses; its words are kept to one line. */
  @Test
  void aMergeOfUnknownTokens() {
    Path file = TokenizerJson.of("{'type':'BPE','vocab':{'a':0},'merges':['a b\\n']}").in(folder);
    assertThatThrownBy(() -> Tokenizer.load(file))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageStartingWith(file + ": not a tokenizer: Token `b\\u000a` out of vocabulary");
  }

  /** Deeper than the library bears, but one after another they are as good as any. */
  @Test
  void sequencesInSequencesAreLetThrough() {
    String decoder = "{'type':'Fuse'}";
    for (int i = 0; i < 200; i++) decoder = sequence("decoders", decoder);
    try (var t = Tokenizer.load(TokenizerJson.words("a").with("decoder", decoder).in(folder))) {
      assertThat(t.decode(new int[] {1, 1})).isEqualTo("aa");
    }
  }

  /** Nothing asks for them, so that the library is not given them. */
  @Test
  void truncationPaddingAndTemplatesDoNotMatter() {
    var json =
        TokenizerJson.words("a")
            .with(
                "truncation",
                "{'direction':'Right','max_length':0,'strategy':'OnlySecond','stride':9}")
            .with("padding", "{'strategy':{'Fixed':100000000000}}")
            .with("post_processor", "{'type':'TemplateProcessing','single':'$none','x':[[[1]]]}");
    try (var t = Tokenizer.load(json.in(folder))) {
      assertThat(t.encode("a")).containsExactly(1);
    }
  }

  @Test
  void aTextTooLongForItsPatterns() {
    var json = TokenizerJson.words("a").with("pre_tokenizer", split("\\\\s+$"));
    try (var t = Tokenizer.load(json.in(folder))) {
      assertThat(t.encode(" ".repeat(19_999) + "a")).containsExactly(0);
      assertThatThrownBy(() -> t.encode(" ".repeat(20_001)))
          .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
          .hasMessageContaining("of 20001 characters; with this tokenizer at most 20000 are safe");
    }
  }

  @Test
  void aClosedTokenizer() {
    var t = Tokenizer.load(TokenizerJson.words("a").in(folder));
    t.close();
    assertThatThrownBy(() -> t.encode("a")).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> t.decode(new int[] {1})).isInstanceOf(IllegalStateException.class);
  }
}
