package dev.seekr.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import java.io.IOException;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** None of a file's fields passes unknown. */
class ConfigFieldsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static ConfigFields fields(String json, String... ignored) {
    try {
      var fields = new Fields(JSON.readTree(json.replace('\'', '"')), "a.json");
      return ConfigFields.of(fields, Set.of(ignored));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Failure end(ConfigFields fields) {
    return catchThrowableOfType(Failure.class, fields::end);
  }

  @Test
  void whatNobodyAskedForIsNamed() {
    var fields = fields("{'a':1,'b':[2,3],'c':null,'d':{'e':1},'f':true}");
    assertThat(fields.whole("a", 0, 9)).isEqualTo(1);
    fields.harmless("f g");
    assertThat(end(fields).exit.code).isEqualTo(65);
    assertThat(end(fields))
        .hasMessage(
            "a.json: b [2,3], d {\"e\":1}: not heeded here, so that results may not be the"
                + " model's; where that is meant, model.ignore: [b, d]");
    assertThat(end(fields("{'b':1,'c':2,'_d':3}", "b")))
        .hasMessageStartingWith("a.json: c 2: not heeded here");
    assertThat(end(fields("{'b':1}", "b", "unused"))).isNull();
    assertThat(end(fields("{'p':1,'q':1,'r':1,'s':1,'t':1,'u':1,'v':1}")).getMessage())
        .contains("t 1, and 2 more: not", "[p, q, r, s, t, u, v]");
  }

  @Test
  void sectionsAreReadToTheirEnds() {
    var fields = fields("{'s':{'x':1,'y':2,'z':{'w':3}},'t':{'x':1}}");
    var s = fields.section("s");
    s.whole("x", 0, 9);
    s.section("z");
    fields.harmless("t");
    assertThat(end(fields).getMessage()).startsWith("a.json: s.y 2, s.z.w 3: not");
    assertThat(fields.sections()).containsExactly("s", "t");
  }

  @Test
  void onlyWhatDoesNothing() {
    String json = "{'a':0.0,'b':false,'c':[],'d':1,'e':null}";
    var fine = fields(json);
    fine.only("a e absent", 0);
    fine.only("b", false);
    fine.only("c", "[]");
    fine.only("d", 1.0);
    assertThat(end(fine)).isNull();
    var wrong = fields(json);
    wrong.only("a d", 1);
    wrong.only("b", true);
    wrong.only("c", "{}");
    assertThat(end(wrong).getMessage()).startsWith("a.json: a 0.0, b false, c []: not heeded");
    var ignored = fields(json, "a", "b", "c");
    ignored.only("a d", 1);
    ignored.only("b", true);
    ignored.only("c", "{}");
    assertThat(end(ignored)).isNull();
  }

  /** Whoever reads a field first has the say: what is read is not made harmless later. */
  @Test
  void whatIsReadCannotBeIgnored() {
    var fields = fields("{'a':1,'s':{'x':1}}", "s.x");
    fields.whole("a", 0, 9);
    fields.section("s").whole("x", 0, 9);
    fields.harmless("a");
    assertThat(end(fields).exit.code).isEqualTo(78);
    assertThat(end(fields))
        .hasMessage("model.ignore: s.x is read of a.json, whose model would be another without it");
  }

  /** What was used, to be written again: defaults that were taken are there, the ignored is not. */
  @Test
  void whatWasUsed() {
    var fields = fields("{'a':1,'b':2,'f':null,'s':{'x':1,'z':3}}", "b", "s.z", "t.u");
    fields.whole("a", 0, 9, 7);
    fields.whole("c", 0, 9, 7);
    fields.flag("f", true);
    fields.text("g", "text");
    fields.section("s").positive("y", 2.5);
    fields.harmless("h");
    assertThat(fields.used().toString().replace('"', '\''))
        .isEqualTo("{'a':1,'f':true,'s':{'x':1,'y':2.5},'c':7,'g':'text'}");
  }
}
