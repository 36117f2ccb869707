package dev.seekr.general;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Expected fields are those that Python's csv.reader gives. */
class CsvTest {
  private static List<List<String>> fields(String text) {
    return Csv.read(text).stream().map(Csv.Row::fields).toList();
  }

  @Test
  void quotesBlanksAndEnds() {
    assertThat(fields("a,b\n\n\"c, d\",\"\"\"e\"\"\"\r\n,\r\nf"))
        .isEqualTo(
            List.of(List.of("a", "b"), List.of("c, d", "\"e\""), List.of("", ""), List.of("f")));
    assertThat(fields("")).isEmpty();
    assertThat(fields("\"open, and\nnever closed"))
        .isEqualTo(List.of(List.of("open, and\nnever closed")));
  }

  @Test
  void quotesThatEndAFieldTooEarly() {
    assertThat(fields("\"the \"so\" called\",1\n\"x\" y\"z\",2\na\"b\",3"))
        .isEqualTo(
            List.of(
                List.of("the so\" called\"", "1"),
                List.of("x y\"z\"", "2"),
                List.of("a\"b\"", "3")));
  }

  @Test
  void rowsKnowWhereTheyAreAndTheirQuotedFields() {
    var rows = Csv.read("h,i\n\"one\ntwo\",1\n\"a \"b, c\", d\",\"e\",2\r\n3,4\n");
    assertThat(rows).extracting(Csv.Row::line).containsExactly(1, 2, 4, 5);
    assertThat(rows.get(2).raw()).isEqualTo("\"a \"b, c\", d\",\"e\",2");
    assertThat(rows.get(2).fields()).hasSize(5);
    assertThat(rows.get(2).quoted()).containsExactly("a \"b, c\", d", "e", "2");
    assertThat(rows.get(3).quoted()).containsExactly("3", "4");
  }
}
