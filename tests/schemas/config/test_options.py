"""What a source's format has to be told, and which format takes it."""

import pytest

from schemas.config import Config, find_problems, load_document


def problems(options: str, name: str = "influx") -> list[str]:
    """Faults of a source with these options."""
    source = f"  - topic: t\n    format: {name}\n    options: {options}\n"
    return find_problems(f"sources:\n  - topic: other\n{source}", "tocsin.yaml")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("influx", "{time_unit: ns}"),
        ("telegraf", "{time_unit: s}"),
        ("native", "{}"),
        ("auto", "{time_unit: ms}"),
        ("auto", "{registry: {url: http://registry.example.com}}"),
        ("cloud_events", "{fields: {values: [a, b.c]}}"),
        (
            "confluent",
            "{registry: {url: http://r, username: u, password: x, timeout: 1s}, schemas: 9}",
        ),
    ],
)
def test_options_that_mean_something_are_sound(name: str, options: str) -> None:
    """Each format takes the keys that it knows."""
    assert [] == problems(options, name)


@pytest.mark.parametrize(
    ("name", "options", "what"),
    [
        ("native", "{time_unit: s}", "format 'native' has no option time_unit: it takes none"),
        (
            "influx",
            "{schemas: 5}",
            "format 'influx' has no option schemas: it takes time_unit",
        ),
        ("confluent", "{}", "format 'confluent' needs options.registry.url: where the schemas are"),
    ],
)
def test_options_that_mean_nothing_are_faults(name: str, options: str, what: str) -> None:
    """A key that a format does not take is named, with file and line."""
    assert [f"tocsin.yaml:5: sources.1.options: {what}"] == problems(options, name)


@pytest.mark.parametrize(
    "options",
    [
        "{time_unit: minutes}",
        "{time_unt: s}",
        "{registry: {}}",
        "{schemas: 0}",
        "{fields: {time: 5}}",
    ],
)
def test_faults_have_their_line(options: str) -> None:
    """Whatever is wrong with an option is told with its line."""
    (problem,) = problems(options, "auto")
    assert problem.startswith("tocsin.yaml:5: ")


def test_the_password_is_a_secret() -> None:
    """A registry's password is shown nowhere, not even where it stands in the file itself."""
    text = "sources:\n  - {format: auto, options: {registry: {url: http://r, password: hunter2}}}\n"
    config: Config = load_document(text, "tocsin.yaml").config
    registry = config.sources[0].options.registry

    assert registry is not None
    assert "hunter2" == registry.password.reveal()
    assert "hunter2" not in f"{config!r} {config.model_dump_json()}"


def test_formats_that_look_at_headers_get_them() -> None:
    """Headers are read where a format asks for them, and nowhere else."""
    sources = Config.model_validate(
        {
            "sources": [
                {"topic": name, "format": name, "options": options}
                for name, options in (
                    ("native", {}),
                    ("influx", {}),
                    ("auto", {}),
                    ("cloud_events", {}),
                    ("confluent", {"registry": {"url": "http://r"}}),
                )
            ]
        }
    ).sources

    assert [False, False, True, True, True] == [source.needs_headers for source in sources]
