"""From planned lines to documents: grouped by date, payer and change, with credits used up (conventions 9, 10, 12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from app.billing.answer import Line, PlannedDocument, Totals
from app.billing.calendar import Period
from app.billing.deal import Credit, DealDocument, Settled
from app.billing.money import Money, decimals_of, total
from app.billing.plan import Move
from app.billing.wording import why

_ZERO_NOTE = "Not sent: every line is zero by itself."
CARRY_DAYS = 31


def documents(deal: DealDocument, moves: Sequence[Move], *, billable: bool, carry: bool) -> list[PlannedDocument]:
    """Return the documents of a plan, by date; lines of one date and payer form one, a change's own stays apart."""
    groups: defaultdict[tuple[date, int, int, str], list[Move]] = defaultdict(list)
    order = {c.id: n for n, c in enumerate(deal.changes)}
    corrections: defaultdict[int, list[Move]] = defaultdict(list)
    for move in _netted(deal, moves) if deal.changes else moves:
        if move.is_correction:
            corrections[move.payer].append(move)
        else:
            rank = 0 if move.change is None else 2 + order.get(move.change, 0)
            groups[move.dated, move.payer, rank, move.change or ""].append(move)
    for payer, found in corrections.items():
        rank = 1 if sum(move.amount for move in found) < 0 else 0
        groups[found[0].dated, payer, rank, ""].extend(found)
    planned = [
        _document(deal, dated, payer, found, change or None, billable=billable)
        for (dated, payer, _, change), found in sorted(groups.items(), key=lambda pair: pair[0])
    ]
    return _with_credits(deal, carried_over(deal, planned) if carry else planned)


def _netted(deal: DealDocument, moves: Sequence[Move]) -> list[Move]:
    """Put the first period of a replacement on the document that credits what it replaces (convention 10).

    Charges and credits of one amendment are netted, so an upgrade is one document and not an invoice beside a credit.
    """
    back = {(m.item.key, m.payer, m.dated): m.change for m in moves if m.change is not None and m.amount < 0}
    gone = {change.id: change.item for change in deal.changes if change.kind == "remove"}
    replaced = {
        (c.added.key, c.effective): gone[c.id] or "" for c in deal.changes if c.added is not None and c.id in gone
    }
    found = []
    for move in moves:
        label, key = None, move.item.key
        is_first = move.change is None and not move.is_correction and move.dated == move.start
        # What was replaced may itself have replaced another item on the same day.
        while is_first and label is None and (key, move.dated) in replaced:
            key = replaced[key, move.dated]
            label = back.get((key, move.payer, move.dated))
        found.append(replace(move, change=label) if label is not None else move)
    return found


def carried_over(deal: DealDocument, planned: Sequence[PlannedDocument]) -> list[PlannedDocument]:
    """Carry changes' own documents to the payer's next regular invoice, where there is one within 31 days.

    A portal may choose so (convention 10). The lines keep the change that made them.
    """
    kept = list(planned)
    for document in planned:
        if document.change is None:
            continue
        target = next((n for n, other in enumerate(kept) if _takes(other, document)), None)
        if target is None:
            continue
        lines = (*kept[target].lines, *document.lines)
        net = total((one.amount for one in lines), deal.currency)
        kept[target] = replace(
            kept[target], lines=lines, net=net, kind="credit_note" if net.minor < 0 else "invoice", sent=True,
            notes=deal.carried,
        )  # fmt: skip
        kept = [other for other in kept if other is not document]
    return kept


def _takes(regular: PlannedDocument, own: PlannedDocument) -> bool:
    days = (regular.dated - own.dated).days
    return regular.change is None and regular.bill_to == own.bill_to and 0 <= days <= CARRY_DAYS


def payer_name(deal: DealDocument, payer: int) -> str:
    """Return the name that a document is billed to."""
    return deal.payers[payer].name if deal.payers else deal.customer


def _document(
    deal: DealDocument, dated: date, payer: int, moves: Sequence[Move], change: str | None, *, billable: bool
) -> PlannedDocument:
    lines = tuple(line(deal, move) for move in moves)
    net = total((one.amount for one in lines), deal.currency)
    is_zero = not any(one.amount.minor for one in lines)
    return PlannedDocument(
        kind="credit_note" if net.minor < 0 else "invoice",
        dated=dated,
        due=deal.due_on(dated),
        bill_to=payer_name(deal, payer),
        lines=lines,
        net=net,
        notes=(*deal.carried, _ZERO_NOTE) if is_zero else deal.carried,
        sent=not is_zero,
        billable=billable,
        change=change,
    )


def line(deal: DealDocument, move: Move) -> Line:
    """Return one planned line with its reason."""
    amount = Money(move.amount, deal.currency)
    gross = Money(move.gross, deal.currency)
    return Line(
        item=move.item.key,
        period=Period(move.start, move.end),
        quantity=move.key[0],
        unit_price=move.key[1],
        gross=gross,
        discount=gross - amount,
        amount=amount,
        fraction=move.measure.fraction(),
        why=why(move, deal.currency, payer_name(deal, move.payer), _share(deal, move.payer)),
        corrects=move.corrects,
        change=move.change,
    )


def _share(deal: DealDocument, payer: int) -> Fraction | None:
    """Return a payer's percent, None where one pays everything."""
    if len(deal.payers) < 2:
        return None
    if payer + 1 < len(deal.payers):
        return deal.payers[payer].share or Fraction(0)
    return 100 - sum((other.share or Fraction(0) for other in deal.payers[:-1]), Fraction(0))


def totals(deal: DealDocument, planned: Sequence[PlannedDocument]) -> Totals:
    """Return the sum of the documents, and of each item of the deal, in the deal's order."""
    by_item = {item.key: Money.zero(deal.currency) for item in deal.all_items()}
    for document in planned:
        for one in document.lines:
            by_item[one.item] = by_item.get(one.item, Money.zero(deal.currency)) + one.amount
    return Totals(total((document.net for document in planned), deal.currency), tuple(by_item.items()))


def credit_key(n: int) -> str:
    """Return the item under which the n-th credit of a deal is settled."""
    return f"credits[{n}]"


def _with_credits(deal: DealDocument, planned: list[PlannedDocument]) -> list[PlannedDocument]:
    payers = [payer_name(deal, n) for n in range(max(len(deal.payers), 1))]
    for n, credit in enumerate(deal.credits):
        entries = [entry for entry in deal.issued if entry.item == credit_key(n)]
        for payer, name in enumerate(payers):
            mine = [e for e in entries if len(payers) == 1 or e.bill_to == name]
            _use(deal, n, credit, _part(deal, credit, payer), mine, name, planned)
    return planned


def _part(deal: DealDocument, credit: Credit, payer: int) -> int:
    """Return a payer's part of a credit; the last takes the rest."""
    if len(deal.payers) < 2:
        return credit.amount.minor
    share = [Money.rounded(credit.amount.exact() * (p.share or 0) / 100, deal.currency).minor for p in deal.payers[:-1]]
    return [*share, credit.amount.minor - sum(share)][payer]


def _use(
    deal: DealDocument, n: int, credit: Credit, whole: int, entries: Sequence[Settled], name: str,
    planned: list[PlannedDocument],
) -> None:  # fmt: skip
    """Use a credit on the payer's invoices from its day on, each up to what the invoice is worth."""
    if credit.on is None:
        return
    used, invoices = sum(-entry.net.minor for entry in entries), len(entries)
    if not credit.carry and invoices >= credit.invoices:
        # Used once on its invoices, what was left of it is lost, also in a later run.
        return
    each = _even(whole, credit.invoices)
    for at, document in enumerate(planned):
        if document.bill_to != name or document.net.minor <= 0 or document.dated < credit.on or used >= whole:
            continue
        invoices += 1
        reached = whole if invoices >= credit.invoices else each * invoices
        use = min(reached - used, document.net.minor)
        if use > 0:
            planned[at] = _credited(deal, document, n, use)
            used += use
        if not credit.carry and invoices >= credit.invoices:
            return


def _even(whole: int, parts: int) -> int:
    """Return an even part of minor units, rounded half up."""
    return (2 * whole + parts) // (2 * parts)


def _credited(deal: DealDocument, document: PlannedDocument, n: int, use: int) -> PlannedDocument:
    amount = Money(-use, deal.currency)
    price = Decimal(use).scaleb(-decimals_of(deal.currency))
    credit = Line(
        item=credit_key(n), period=Period.of_day(document.dated), quantity=Decimal(1), unit_price=price,
        gross=amount, discount=Money.zero(deal.currency), amount=amount, fraction="1",
        why=f"Credit of {deal.credits[n].amount}: {Money(use, deal.currency).amount()} is used here",
    )  # fmt: skip
    return replace(document, lines=(*document.lines, credit), net=document.net + amount)
