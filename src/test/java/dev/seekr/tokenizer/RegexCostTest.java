package dev.seekr.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RegexCostTest {
  private static RegexCost cost(String pattern) throws Regex.Unknown {
    return RegexCost.of(Regex.parse(pattern));
  }

  /** Of models in use: LLaMA 3, Qwen, GPT-2, GPT-4, GPT-4o, Mistral, DeepSeek, BLOOM, Falcon. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        TokenizerKindsTest.LLAMA3,
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}|"
            + " ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
        "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+|"
            + " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s",
        "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
            + "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+"
            + "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}|"
            + " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"
            + " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
        " ?[^(\\s|[.,!?…。，、।۔،])]+",
        "\\s?\\p{L}+",
        "[一-龥]+",
        "[0-9][0-9][0-9]",
        "(?<=\\p{L}|[0-9]a)(?!$)b+",
        " {2,}"
      })
  void patternsInUse(String pattern) throws Regex.Unknown {
    RegexCost cost = cost(pattern);
    assertThat(cost.attempts()).isBetween(1.0, 10.0);
    assertThat(cost.rescans()).isFalse();
  }

  /** The same characters may be looked at from each place before them. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\\s+$",
        "\\s+x|\\s",
        "\\s*[\\r\\n]+|\\s|\\s+",
        "\\s*x|\\s+?",
        "\\s++(?!\\S)",
        "a\\s+x|\\s+",
        "(?=(\\d{3})+(?!\\d))",
        "\\d{1,3}(?=(?:\\d{3})*\\b)",
        "(?:a+b)?c",
        "x{5,}y"
      })
  void patternsThatLookAgain(String pattern) throws Regex.Unknown {
    assertThat(cost(pattern).rescans()).isTrue();
    assertThat(cost(pattern).attempts()).isBetween(1.0, 30.0);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(x+x+)+y",
        "(a|b|ab)*c",
        "(a*)*",
        "a*a*b",
        "(?:\\p{N}{1,3})+x",
        "\\p{N}{1,3}+x",
        "(?:a+|b)+c",
        "(?=a+a+b)",
        "(?:(?:a|b){1,9}){1,9}c",
        "((a{1000}){1000}|b){1000}c"
      })
  void patternsThatMayTakeForever(String pattern) {
    assertThatThrownBy(() -> cost(pattern))
        .isInstanceOf(Regex.Unknown.class)
        .hasMessageMatching(".*(several ways|faster than the text|too many ways).*");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(a)\\1",
        "\\k<a>",
        "(?<a>b)",
        "\\g<0>",
        "(?(1)a)",
        "(?x: a)",
        "(*FAIL)",
        "(?~a)",
        "(?<=a+)b",
        "(?<!a?)b",
        "\\X",
        "\\R",
        "\\K",
        "\\G",
        "[]a]",
        "[a",
        "(a",
        "a)",
        "\\",
        "*a",
        "{1}",
        "a{2,1}",
        "a{1001}",
        "a{1,2}?",
        "(?=a)*",
        "^*",
        "\\p{L",
        "\\x{61 62}",
        "\\u12",
        "((((((((((((((((((((((a"
      })
  void syntaxThatIsNotKnown(String pattern) {
    assertThatThrownBy(() -> cost(pattern))
        .isInstanceOf(Regex.Unknown.class)
        .hasMessageContaining("is not known");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a*", "a?b{0,2}", "(?=a)", "$", "(a|)", "a|", "(?:a?)+"})
  void matchesNothing(String pattern) throws Regex.Unknown {
    assertThat(Regex.matchesNothing(Regex.parse(pattern))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "a*b", "a+", "(?:a|b)", "(?=a)a", "[^a]", "\\s{2,}"})
  void takesSomething(String pattern) throws Regex.Unknown {
    assertThat(Regex.matchesNothing(Regex.parse(pattern))).isFalse();
  }
}
