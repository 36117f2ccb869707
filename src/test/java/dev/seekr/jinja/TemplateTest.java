package dev.seekr.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What scripts/chat_reference.py recorded of transformers, and what a template must not do. */
class TemplateTest {
  private static final Path CHAT = Path.of("src/test/resources/chat");

  private static JsonNode expected() throws IOException {
    return new ObjectMapper().readTree(CHAT.resolve("expected.json").toFile());
  }

  private static Object value(JsonNode json) {
    if (json.isTextual()) return json.textValue();
    if (json.isIntegralNumber()) return json.longValue();
    if (json.isBoolean()) return json.booleanValue();
    if (json.isArray()) {
      var list = new ArrayList<Object>();
      json.forEach(item -> list.add(value(item)));
      return list;
    }
    return map(json);
  }

  private static Map<String, Object> map(JsonNode json) {
    var map = new LinkedHashMap<String, Object>();
    json.properties().forEach(e -> map.put(e.getKey(), value(e.getValue())));
    return map;
  }

  static Stream<JsonNode> conversations() throws IOException {
    return StreamSupport.stream(expected().path("conversations").spliterator(), false);
  }

  @ParameterizedTest
  @MethodSource
  void conversations(JsonNode c) throws IOException {
    String name = c.path("template").textValue();
    var template = Template.read(Files.readString(CHAT.resolve(name)), name);
    var variables = new LinkedHashMap<String, Object>();
    variables.put("messages", value(c.path("messages")));
    variables.put("add_generation_prompt", c.path("generate").booleanValue());
    variables.put("bos_token", "<s>");
    variables.put("eos_token", "</s>");
    variables.put("tools", null);
    if (c.has("raises")) fails(template, variables, "");
    else assertThat(template.render(variables)).isEqualTo(c.path("text").textValue());
  }

  static Stream<JsonNode> pieces() throws IOException {
    return StreamSupport.stream(expected().path("pieces").spliterator(), false);
  }

  @ParameterizedTest
  @MethodSource
  void pieces(JsonNode piece) throws IOException {
    var template = Template.read(piece.path("template").textValue(), "piece");
    assertThat(template.render(map(expected().path("variables"))))
        .isEqualTo(piece.path("text").textValue());
  }

  private static void fails(Template template, Map<String, Object> variables, String message) {
    assertThatThrownBy(() -> template.render(variables))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageContaining(message);
  }

  private static final Map<String, Object> ATTACKED =
      Map.of(
          "text",
          "t",
          "messages",
          new ArrayList<>(List.of(new LinkedHashMap<>(Map.of("role", "user")))));

  /** Java's and Python's ways out: not one leads anywhere, and nothing is changed. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ text.getClass() }}",
        "{{ text.getClass().forName('java.lang.Runtime').getRuntime().exec('id') }}",
        "{{ text.class.forName('java.lang.System') }}",
        "{{ messages.getClass() }}",
        "{{ messages.stream() }}",
        "{{ messages.clear() }}",
        "{{ messages.append(1) }}",
        "{{ messages[0].clear() }}",
        "{{ messages[0].put('a', 1) }}",
        "{{ messages[0].entrySet() }}",
        "{{ messages[0].hashCode() }}",
        "{{ text.__class__.__mro__ }}",
        "{{ text['__class__']['__base__'] }}",
        "{{ text.__class__.__mro__[1].__subclasses__() }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ lipsum.__globals__ }}",
        "{{ ''.format(text) }}",
        "{{ text.format_map(messages[0]) }}",
        "{{ text | attr('getClass') }}",
        "{{ messages | map(attribute='class') | list }}",
        "{{ ().__class__.__bases__[0] }}",
        "{{ raise_exception.__globals__ }}",
        "{{ namespace.__init__ }}",
        "{{ T(java.lang.Runtime).getRuntime() }}",
        "{{ text.intern() }}",
        "{{ text.chars() }}",
        "{% set messages[0].role = 'x' %}",
        "{% set text.x = 1 %}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% from 'os' import system %}",
        "{% extends '/etc/passwd' %}",
        "{% macro f() %}{% endmacro %}",
        "{% do messages.clear() %}",
        "{% call f() %}{% endcall %}",
        "{{ eval('1') }}",
        "{{ open('/etc/passwd') }}",
        "{{ strftime_now('%Y') }}"
      })
  void nothingBeyondTheLanguageIsReached(String attack) {
    assertThatThrownBy(() -> Template.read(attack, "evil.jinja").render(ATTACKED))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageStartingWith("evil.jinja:1: ")
        .hasMessageNotContaining("java.");
    assertThat(ATTACKED.toString()).contains("[{role=user}]");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ range(1000000000) | length }}",
        "{% for a in range(60000) %}{% for b in range(60000) %}{% endfor %}{% endfor %}",
        "{% set n = namespace(s='aaaaaaaaaaaaaaaa') %}{% for a in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% set n = namespace(s='aaaaaaaaaaaaaaaa') %}{% for a in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
        "{% set n = namespace(s='aaaaaaaaaaaaaaaa') %}{% for a in range(99) %}{% set n.s = n.s.replace('a', 'aa') %}{% endfor %}",
        "{% set n = namespace(s=['a']) %}{% for a in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% set n = namespace(s='') %}{% for a in range(60000) %}{% set n.s = n.s + 'aaaaaaaaaaaaaaaa' %}{% endfor %}",
        "{% set n = namespace(s=[]) %}{% for a in range(60000) %}{% set n.s = n.s + [1] %}{% endfor %}",
        "{% set l = range(60000) %}{% for a in l %}{{ 7 == l|length }}{{ -1 in l }}{% endfor %}",
        "{% set n = namespace(a=[], b=[]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}{% set n.b = [n.b, n.b] %}{% endfor %}{{ n.a == n.b }}",
        "{% set n = namespace(a=[]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a | tojson }}",
        "{% set n = namespace(a=[]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ {n.a: 1} }}"
      })
  void nothingIsWithoutBounds(String greedy) {
    fails(Template.read(greedy, "greedy"), Map.of(), "greedy:1: ");
  }

  /** Nothing in the text of a template is nested then; its values are, or its operators. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% set n = namespace(a=[]) %}{% for i in range(60000) %}{% set n.a = [n.a] %}{% endfor %}{{ n.a | tojson }}",
        "{% set n = namespace(a=[], b=[]) %}{% for i in range(60000) %}{% set n.a = [n.a] %}{% set n.b = [n.b] %}{% endfor %}{{ n.a == n.b }}",
      })
  void valuesNestedTooDeep(String deep) {
    fails(Template.read(deep, "deep"), Map.of(), "deep: computes what is nested too deep");
  }

  @Test
  void chainsTooLong() {
    for (String link : List.of(" + 1", " | string", ".x")) {
      var template = Template.read("{{ messages" + link.repeat(200_000) + " }}", "long");
      fails(template, Map.of("messages", Map.of()), "long");
    }
  }

  /** Python's rules for what is odd in conversations. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '@',
      quoteCharacter = '`',
      textBlock =
          """
          {{ '😀a😁'.strip('😁') }}           @ 😀a
          {{ 'abc'[1:3:2147483647] }}         @ b
          {{ [1, [1, 2]] == [1.0, [true, 2]] }} @ True
          {{ {'a': [1]} == {'a': [2]} }}      @ False
          {% for k in {none: 1} %}{{ k }}{% endfor %} @ None
          {% set n = namespace(x=1) %}{{ n is mapping }}{{ n.x }} @ False1
          """)
  void pythonsRules(String template, String expected) {
    assertThat(Template.read(template, "t").render(Map.of())).isEqualTo(expected.strip());
  }

  @Test
  void whatIsPrintedIsBounded() {
    String much = "{% for a in range(60000) %}" + "x".repeat(300) + "{% endfor %}";
    fails(Template.read(much, "much"), Map.of(), "much:1: it prints too much");
  }

  @Test
  void nestingIsBounded() {
    for (String deep :
        List.of(
            "{{ " + "(".repeat(100_000) + " }}",
            "{{ " + "[".repeat(100_000) + " }}",
            "{{ " + "-".repeat(100_000) + "1 }}",
            "{{ " + "not ".repeat(100_000) + "1 }}",
            "{% if 1 %}".repeat(100_000),
            "{% if 1 %}" + "{% elif 1 %}".repeat(100_000) + "{% endif %}",
            "{% for a in b %}".repeat(100_000)))
      assertThatThrownBy(() -> Template.read(deep, "deep"))
          .isInstanceOf(Failure.class)
          .hasMessageContaining("nested too deep");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '@',
      quoteCharacter = '`',
      textBlock =
          """
          {{ 1 +                  @ a tag without its end
          {% if x %}              @ expected 'endif'
          {% endif %}             @ 'endif' without its beginning
          {% for x y %}           @ expected 'in'
          {{ 'a }}                @ a text without its closing
          {# a                    @ a comment without its end
          {{ x ? y }}             @ '?' means nothing here
          {{ 'a' + 1 }}           @ a text + a number
          {{ none + 'a' }}        @ none + a text
          {{ x + 'a' }}           @ undefined 'x' + a text
          {{ x.y.z }}             @ undefined 'x' is asked for 'y'
          {{ [1] }}               @ a list is printed
          {{ 1 / 0 }}             @ a division by 0
          {{ 'a' | nofilter }}    @ no filter 'nofilter'; there are count,
          {{ 'a' is notest }}     @ no test 'notest'; there are boolean,
          {{ 'a'.nomethod() }}    @ a text has no method 'nomethod'; there are endswith,
          {% set x %}             @ expected 'endset'
          {{ raise_exception('R!') }} @ the template says: R!
          {% nothing %}           @ no statement 'nothing'; there are for,
          {{ 'a' 1 }}             @ expected the end of the tag
          {{ 99999999999999999999 }} @ a number that is too large
          {{ '\\ud800' }}        @ an escape that is no code of a character
          {{ {[1]: 2} }}          @ a list is a key
          """)
  void mistakesAreNamedWithTheirLine(String template, String message) {
    assertThatThrownBy(() -> Template.read("a\nb\n" + template, "t").render(Map.of()))
        .isInstanceOf(Failure.class)
        .hasMessageStartingWith("t:3: ")
        .hasMessageContaining(message.strip());
  }
}
