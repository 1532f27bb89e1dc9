"""`python -m docs`: writes anew what the documents take from the code; tests hold the files against it."""

from docs.pages import generated


def main() -> None:
    """Write each file that differs."""
    for path, text in generated().items():
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


if __name__ == "__main__":
    main()
