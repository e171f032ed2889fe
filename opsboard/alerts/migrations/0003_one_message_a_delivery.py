from django.db import migrations


def one_message_a_delivery(apps, _schema_editor):
    """What was sent, or is under way, is a message of its own from now on, under its old key."""
    Delivery = apps.get_model("alerts", "Delivery")
    Message = apps.get_model("alerts", "Message")
    for delivery in Delivery.objects.iterator():
        delivery.wanted_at = delivery.next_attempt_at
        if delivery.dead_at and not delivery.attempts:
            # Called off before it was sent, by a restore.
            delivery.held_at, delivery.held_by = delivery.dead_at, "past"
            delivery.reason = delivery.last_error
        else:
            delivery.message = Message.objects.create(
                key=delivery.key,
                channel=delivery.channel,
                content=delivery.content,
                made_at=delivery.created_at,
                next_attempt_at=delivery.next_attempt_at,
                attempts=delivery.attempts,
                last_error=delivery.last_error,
                delivered_at=delivery.delivered_at,
                dead_at=delivery.dead_at,
            )
        delivery.save()


class Migration(migrations.Migration):
    dependencies = [("alerts", "0002_messages_and_who_hears")]

    operations = [migrations.RunPython(one_message_a_delivery, migrations.RunPython.noop)]
