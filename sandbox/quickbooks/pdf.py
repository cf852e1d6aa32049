"""A tiny, valid PDF of one page."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.quickbooks.fields import Document


def render(document: Document) -> bytes:
    """Return a page that names the document, its customer, total and balance."""
    lines = [
        f"Document {document.get('DocNumber') or document['Id']}",
        f"Customer: {document['CustomerRef']['name']}",
        f"Date: {document['TxnDate']}",
        f"Total: {document['CurrencyRef']['value']} {document['TotalAmt']}",
        f"Balance: {document.get('Balance', document.get('UnappliedAmt'))}",
    ]
    return _assemble(_objects(lines))


def _objects(lines: Sequence[str]) -> list[bytes]:
    shown = " ".join(f"({_escape(line)}) Tj T*" for line in lines)
    content = f"BT /F1 14 Tf 20 TL 72 760 Td {shown} ET".encode("latin-1", "replace")
    fonts = b"<< /Font << /F1 5 0 R >> >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources %s >>" % fonts
    return [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _assemble(objects: Sequence[bytes]) -> bytes:
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return out
