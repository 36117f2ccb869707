package dev.seekr.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each type of component that is let through does what it is for. */
class TokenizerKindsTest {
  @TempDir Path folder;

  /** A component of a stage, a text, and the words it is cut into. */
  static Stream<Arguments> words() {
    String n = "normalizer", p = "pre_tokenizer";
    return Stream.of(
        words(n, "{'type':'NFC'}", "e\u0301", "é"),
        words(n, "{'type':'NFD'}", "é", "e\u0301"),
        words(n, "{'type':'NFKC'}", "ﬁ", "fi"),
        words(n, "{'type':'NFKD'}", "ﬁé", "fie\u0301"),
        words(n, "{'type':'Lowercase'}", "AbÄ", "abä"),
        words(n, "{'type':'ByteLevel'}", "é", "Ã©"),
        words(n, "{'type':'StripAccents'}", "e\u0301a", "ea"),
        words(n, "{'type':'Nmt'}", "a\tb\u0001", "a b"),
        words(n, "{'type':'Strip','strip_left':true,'strip_right':false}", "  a ", "a "),
        words(n, "{'type':'Strip','strip_left':true,'strip_right':true}", "  ä ", "ä"),
        words(
            n,
            "{'type':'BertNormalizer','clean_text':true,'handle_chinese_chars':true,"
                + "'strip_accents':null,'lowercase':true}",
            "Ä\u0001中",
            "a 中 "),
        words(n, "{'type':'Prepend','prepend':'▁'}", "a", "▁a"),
        words(n, replace("{'String':' '}", "▁"), "a b ", "a▁b▁"),
        words(n, replace("{'String':'.'}", ""), "a.b", "ab"),
        words(n, replace("{'Regex':' {2,}'}", " "), "a   b", "a b"),
        words(
            n,
            "{'type':'Precompiled','precompiled_charsmap':'" + CharsmapTest.map('A', "aa\0") + "'}",
            "bA",
            "baa"),
        words(n, "{'type':'Sequence','normalizers':[]}", "A", "A"),
        words(
            n,
            "{'type':'Sequence','normalizers':[{'type':'Sequence','normalizers':[{'type':'NFD'}]},"
                + "{'type':'StripAccents'}]}",
            "é",
            "e"),
        words(p, "{'type':'BertPreTokenizer'}", "ab, c", "ab", ",", "c"),
        words(p, "{'type':'Whitespace'}", "ab,,c d", "ab", ",,", "c", "d"),
        words(p, "{'type':'WhitespaceSplit'}", "ab,c d", "ab,c", "d"),
        words(p, "{'type':'UnicodeScripts'}", "abアイ", "ab", "アイ"),
        words(p, "{'type':'Digits','individual_digits':true}", "a12", "a", "1", "2"),
        words(p, "{'type':'Digits','individual_digits':false}", "a12", "a", "12"),
        words(p, "{'type':'Punctuation'}", "a!!b", "a", "!", "!", "b"),
        words(p, "{'type':'Punctuation','behavior':'Contiguous'}", "a!!b", "a", "!!", "b"),
        words(p, "{'type':'CharDelimiterSplit','delimiter':'-'}", "a-b", "a", "b"),
        words(p, split("{'String':'.'}", "Removed", false), "a.b", "a", "b"),
        words(p, split("{'String':' '}", "MergedWithPrevious", false), "a b c", "a ", "b ", "c"),
        words(p, split("{'Regex':' '}", "MergedWithNext", false), "a b c", "a", " b", " c"),
        words(p, split("{'Regex':'[0-9]'}", "Isolated", false), "a12", "a", "1", "2"),
        words(p, split("{'Regex':'a+'}", "Contiguous", false), "aab", "aa", "b"),
        words(p, split("{'Regex':'a+|b'}", "Removed", true), "-aa.b", "aa", "b"),
        words(p, split("{'Regex':'(?=c)'}", "Isolated", false), "abcd", "ab", "cd"),
        words(
            p,
            "{'type':'ByteLevel','add_prefix_space':true,'trim_offsets':true}",
            "it's é",
            "Ġit",
            "'s".replace("'", "\\u0027"),
            "ĠÃ©"),
        words(
            p,
            "{'type':'ByteLevel','add_prefix_space':false,'trim_offsets':true,'use_regex':false}",
            "a b",
            "aĠb"),
        words(
            p, "{'type':'Metaspace','replacement':'▁','add_prefix_space':true}", "a b", "▁a", "▁b"),
        words(
            p,
            "{'type':'Metaspace','replacement':'▁','prepend_scheme':'never','split':false}",
            "a b",
            "a▁b"),
        words(
            p,
            "{'type':'Sequence','pretokenizers':[{'type':'Whitespace'},"
                + "{'type':'Sequence','pretokenizers':[{'type':'Digits','individual_digits':true}]}]}",
            "a1 b",
            "a",
            "1",
            "b"));
  }

  private static Arguments words(String stage, String component, String text, String... words) {
    return arguments(stage, component, text, List.of(words));
  }

  private static String replace(String pattern, String content) {
    return "{'type':'Replace','pattern':%s,'content':'%s'}".formatted(pattern, content);
  }

  private static String split(String pattern, String behavior, boolean invert) {
    return "{'type':'Split','pattern':%s,'behavior':'%s','invert':%s}"
        .formatted(pattern, behavior, invert);
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource
  void words(String stage, String component, String text, List<String> words) {
    String[] vocab = words.stream().distinct().toArray(String[]::new);
    int[] ids = words.stream().mapToInt(w -> 1 + Arrays.asList(vocab).indexOf(w)).toArray();
    try (var t = load(TokenizerJson.words(vocab).with(stage, component))) {
      assertThat(t.encode(text)).containsExactly(ids);
      assertThat(Arrays.stream(t.encode("no such word")))
          .allMatch(id -> id >= 0 && id < t.vocabSize());
      assertThat(t.vocabSize()).isEqualTo(vocab.length + 1);
    }
  }

  /** A decoder, and the text that it makes of words. */
  static Stream<Arguments> decoders() {
    return Stream.of(
        decoder("null", "a b", "a", "b"),
        decoder("{'type':'Fuse'}", "ab", "a", "b"),
        decoder("{'type':'ByteFallback'}", "aé", "a", "<0xC3>", "<0xA9>"),
        decoder("{'type':'ByteFallback'}", "\uFFFDa", "<0xC3>", "a"),
        decoder(
            "{'type':'ByteLevel','add_prefix_space':true,'trim_offsets':true}", " é", "Ġ", "Ã©"),
        decoder(
            "{'type':'Metaspace','replacement':'▁','prepend_scheme':'first'}", "a b", "▁a", "▁b"),
        decoder("{'type':'WordPiece','prefix':'##','cleanup':true}", "ab c.", "a", "##b", "c", "."),
        decoder("{'type':'BPEDecoder','suffix':'</w>'}", "ab c", "a", "b</w>", "c</w>"),
        decoder(
            "{'type':'CTC','pad_token':'-','word_delimiter_token':'|','cleanup':true}",
            "ab a",
            "a",
            "a",
            "-",
            "b",
            "|",
            "a"),
        decoder(replace("{'String':'▁'}", " "), "a b", "a", "▁b"),
        decoder("{'type':'Strip','content':'_','start':1,'stop':0}", "_a_b_", "__a_", "_b_"),
        decoder(
            "{'type':'Sequence','decoders':[{'type':'Fuse'},{'type':'Sequence','decoders':["
                + "{'type':'Strip','content':' ','start':1,'stop':0}]}]}",
            "a b",
            " a",
            " b"));
  }

  private static Arguments decoder(String decoder, String text, String... words) {
    return arguments(decoder, text, List.of(words));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource
  void decoders(String decoder, String text, List<String> words) {
    String[] vocab = words.stream().distinct().toArray(String[]::new);
    int[] ids = words.stream().mapToInt(w -> 1 + Arrays.asList(vocab).indexOf(w)).toArray();
    try (var t = load(TokenizerJson.words(vocab).with("decoder", decoder))) {
      assertThat(t.decode(ids)).isEqualTo(text);
      assertThat(t.decode(new int[0])).isEmpty();
    }
  }

  /** As LLaMA 2, Mistral and Vicuna have it; ids are those of the Python library. */
  @Test
  void bpeOfSentencesWithBytesForTheRest() {
    var vocab = new StringBuilder("'<unk>':0,'<s>':1,'</s>':2");
    for (int b = 0; b < 256; b++) vocab.append(",'<0x%02X>':%d".formatted(b, b + 3));
    vocab.append(",'▁':259,'a':260,'b':261,'ab':262,'▁a':263,'▁ab':264,'\\n':265");
    var json =
        TokenizerJson.of(
                "{'type':'BPE','dropout':null,'unk_token':'<unk>','continuing_subword_prefix':null,"
                    + "'end_of_word_suffix':null,'fuse_unk':true,'byte_fallback':true,"
                    + "'ignore_merges':false,'vocab':{%s},'merges':['a b','▁ a','▁ ab']}"
                        .formatted(vocab))
            .with(
                "added_tokens",
                "[%s,%s,%s]"
                    .formatted(
                        TokenizerJson.added(0, "<unk>", "special"),
                        TokenizerJson.added(1, "<s>", "special"),
                        TokenizerJson.added(2, "</s>", "special")))
            .with(
                "normalizer",
                "{'type':'Sequence','normalizers':[{'type':'Prepend','prepend':'▁'},%s]}"
                    .formatted(replace("{'String':' '}", "▁")))
            .with(
                "post_processor",
                "{'type':'TemplateProcessing','single':[{'SpecialToken':{'id':'<none>','type_id':0}},"
                    + "{'Sequence':{'id':'A','type_id':0}}],'pair':[],'special_tokens':{}}")
            .with(
                "decoder",
                "{'type':'Sequence','decoders':[%s,{'type':'ByteFallback'},{'type':'Fuse'},"
                        .formatted(replace("{'String':'▁'}", " "))
                    + "{'type':'Strip','content':' ','start':1,'stop':0}]}");
    try (var t = load(json)) {
      assertThat(t.encode("ab  ab é\n")).containsExactly(264, 259, 264, 259, 198, 172, 265);
      assertThat(t.decode(t.encode("ab  ab é\n"))).isEqualTo("ab  ab é\n");
      assertThat(t.encode("a</s>")).containsExactly(263, 2);
      assertThat(t.vocabSize()).isEqualTo(266);
    }
  }

  static final String LLAMA3 =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
          + " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  /** As LLaMA 3 and Qwen have it; ids are those of the Python library. */
  @Test
  void bpeOfBytesSplitByAPattern() {
    var vocab = new StringBuilder();
    for (int b = 0; b < 256; b++) {
      boolean plain = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
      int moved = 256 + (b <= ' ' ? b : b <= 0xA0 ? b - 0x7F + 33 : 67);
      vocab.append("'\\u%04x':%d,".formatted(plain ? b : moved, b));
    }
    vocab.append("'ab':256,'Ġab':257,'12':258,'123':259,'\\u0027S':260");
    var json =
        TokenizerJson.of(
                "{'type':'BPE','ignore_merges':true,'vocab':{%s},".formatted(vocab)
                    + "'merges':[['a','b'],['Ġ','ab'],['1','2'],['12','3']]}")
            .with("added_tokens", "[" + TokenizerJson.added(261, "<|end|>", "special") + "]")
            .with("normalizer", "{'type':'NFC'}")
            .with(
                "pre_tokenizer",
                "{'type':'Sequence','pretokenizers':[{'type':'Split','pattern':{'Regex':'%s'},"
                        .formatted(LLAMA3.replace("\\", "\\\\").replace("'", "\\u0027"))
                    + "'behavior':'Isolated','invert':false},{'type':'ByteLevel',"
                    + "'add_prefix_space':false,'trim_offsets':true,'use_regex':false}]}")
            .with(
                "post_processor",
                "{'type':'Sequence','processors':[{'type':'ByteLevel'},{'type':'TemplateProcessing'}]}")
            .with(
                "decoder",
                "{'type':'ByteLevel','add_prefix_space':true,'trim_offsets':true,'use_regex':true}");
    try (var t = load(json)) {
      assertThat(t.encode("ab ab 1234 é")).containsExactly(256, 257, 32, 259, 52, 32, 195, 169);
      assertThat(t.encode("x'S  \n ab")).containsExactly(120, 260, 32, 32, 10, 257);
      assertThat(t.decode(t.encode("x'S  \n ab 😀"))).isEqualTo("x'S  \n ab 😀");
      assertThat(t.encode("ab<|end|>")).containsExactly(256, 261);
      assertThat(t.vocabSize()).isEqualTo(262);
    }
  }

  @Test
  void bpeOfAnOlderFileWithPrefixAndSuffix() {
    var json =
        TokenizerJson.of(
            "{'dropout':null,'unk_token':null,'continuing_subword_prefix':'#',"
                + "'end_of_word_suffix':'.','vocab':{'a':0,'#b':1,'#b.':2,'ab.':3,'a.':4},"
                + "'merges':['a #b.']}");
    try (var t = load(json)) {
      assertThat(t.encode("ab")).containsExactly(3);
      assertThat(t.encode("abb")).containsExactly(0, 1, 2);
      assertThat(t.encode("a")).containsExactly(4);
    }
  }

  @Test
  void unigram() {
    var json =
        TokenizerJson.of(
                "{'type':'Unigram','unk_id':0,'byte_fallback':false,'vocab':[['<unk>',0.0],['▁a',-1.5],"
                    + "['b',-2.25],['▁ab',-3.0],['▁',-4e0],['a',-5]]}")
            .with(
                "normalizer",
                "{'type':'Sequence','normalizers':[{'type':'NFKC'},%s]}"
                    .formatted(replace("{'Regex':' {2,}'}", " ")))
            .with(
                "pre_tokenizer", "{'type':'Metaspace','replacement':'▁','prepend_scheme':'always'}")
            .with("decoder", "{'type':'Metaspace','replacement':'▁','prepend_scheme':'always'}");
    try (var t = load(json)) {
      assertThat(t.encode("ab   bb")).containsExactly(3, 4, 2, 2);
      assertThat(t.encode("axx")).containsExactly(1, 0);
      assertThat(t.decode(new int[] {3, 4, 2, 2})).isEqualTo("ab bb");
      assertThat(t.vocabSize()).isEqualTo(6);
    }
  }

  @Test
  void wordPiece() {
    var json =
        TokenizerJson.of(
                "{'type':'WordPiece','unk_token':'[UNK]','continuing_subword_prefix':'##',"
                    + "'max_input_chars_per_word':5,'vocab':{'[UNK]':0,'ab':1,'##c':2,'.':7}}")
            .with("pre_tokenizer", "{'type':'BertPreTokenizer'}")
            .with("decoder", "{'type':'WordPiece','prefix':'##','cleanup':true}");
    try (var t = load(json)) {
      assertThat(t.encode("abc ab. abcccc x")).containsExactly(1, 2, 1, 7, 0, 0);
      assertThat(t.decode(new int[] {1, 2, 1, 7})).isEqualTo("abc ab.");
      assertThat(t.vocabSize()).as("the largest id counts").isEqualTo(8);
    }
  }

  @Test
  void addedTokens() {
    var json =
        TokenizerJson.words("a", "b", "A")
            .with("normalizer", "{'type':'Lowercase'}")
            .with("pre_tokenizer", "{'type':'Whitespace'}")
            .with(
                "added_tokens",
                "[%s,%s,%s,%s,%s]"
                    .formatted(
                        TokenizerJson.added(3, "A", "normalized"),
                        TokenizerJson.added(4, "<x>", "special"),
                        TokenizerJson.added(5, "<l>", "lstrip"),
                        TokenizerJson.added(6, "<r>", "rstrip"),
                        TokenizerJson.added(7, "one", "single_word")));
    try (var t = load(json)) {
      assertThat(t.encode("A b <l> <r>  b<x>")).containsExactly(3, 2, 5, 6, 2, 4);
      assertThat(t.encode("one b")).containsExactly(7, 2);
      assertThat(t.encode("stones")).doesNotContain(7);
      assertThat(t.decode(new int[] {3, 4, 5})).isEqualTo("A <l>");
      assertThat(t.vocabSize()).isEqualTo(8);
    }
  }

  private Tokenizer load(TokenizerJson json) {
    return Tokenizer.load(json.in(folder));
  }
}
